"""The text the model learns from: the Python sources of the CPython standard library, minus the modules held out."""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import dataclass
from pathlib import Path

EXCLUDED_FOLDERS = frozenset(
    {"site-packages", "__pycache__", "test", "tests", "idlelib", "encodings", "pydoc_data", "turtledemo", "lib-dynload"}
)
"""Left out: what is not the library, what some distributions ship apart (tests, IDLE), and generated tables."""

HELD_OUT = (
    "configparser.py",
    "difflib.py",
    "heapq.py",
    "html/parser.py",
    "http/cookies.py",
    "shlex.py",
    "statistics.py",
    "textwrap.py",
    "tomllib/_parser.py",
    "zipapp.py",
)
"""Modules that neither the tokenizer nor the weights ever see; perplexity is measured on their text, in this order."""


@dataclass(frozen=True)
class Corpus:
    """Two sets of documents, each a (path inside the library, text) pair, in the order of their paths."""

    train: tuple[tuple[str, str], ...]
    held_out: tuple[tuple[str, str], ...]

    @property
    def sha256(self) -> str:
        """Hash of every path and text: two machines with equal hashes train on the same bytes."""
        digest = hashlib.sha256()
        for name, text in self.train + self.held_out:
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()


def collect(root: Path | None = None) -> Corpus:
    """Read the standard library of the running interpreter.

    Args:
        root: the library's folder; ``sysconfig.get_path("stdlib")`` when None.

    Raises:
        FileNotFoundError: a module of ``HELD_OUT`` is missing, so the held-out text would be another one.
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    train, held_out = [], {}
    for path in sorted(root.rglob("*.py"), key=lambda found: found.relative_to(root).as_posix()):
        relative = path.relative_to(root)
        name = relative.as_posix()
        if any(part in EXCLUDED_FOLDERS or part.startswith("config-") for part in relative.parts[:-1]):
            continue
        if name.startswith("_sysconfigdata"):  # differs from build to build
            continue
        text = _text(path)
        if text is None:
            continue
        if name in HELD_OUT:
            held_out[name] = text
        else:
            train.append((name, text))
    missing = [name for name in HELD_OUT if name not in held_out]
    if missing:
        raise FileNotFoundError(f"held-out modules missing under {root}: {', '.join(missing)}")
    return Corpus(tuple(train), tuple((name, held_out[name]) for name in HELD_OUT))


def _text(path: Path) -> str | None:
    """The file as text, or None if it is empty or in another encoding (a handful, kept by CPython as test cases)."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text or None
