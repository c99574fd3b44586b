"""An Ollama ``Modelfile``: the model it names and the parameters that change memory.

Grammar and parameters: Ollama's documentation of the Modelfile (docs/modelfile.md) and its parser
(parser/parser.go); Ollama runs llama.cpp with them.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import msgspec

from memfit.engine.records import Command, Deployment, Options, Profile
from memfit.errors import UsageError

# OLLAMA_CONTEXT_LENGTH and OLLAMA_NUM_PARALLEL of a default installation (Ollama docs/faq.md)
_DEFAULT_CONTEXT = 4096
_COUNTS = {"num_ctx": "context_tokens", "num_batch": "batch_tokens", "num_thread": "threads", "num_gpu": "gpu_layers"}
_LARGEST = 64 * 1024
_FLAGS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}  # strconv.ParseBool


def is_modelfile(path: Path) -> bool:
    """Whether a file reads as a Modelfile: small text with a ``FROM`` statement."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return False
        return any(word == "FROM" for word, _ in _statements(_text(path)))
    except (OSError, UnicodeDecodeError):
        return False


def parse_modelfile(path: Path, profiles: dict[Profile, Options], profile: Profile | None = None) -> Command:
    """The deployment that ``ollama create -f PATH`` would make.

    Args:
        path: the Modelfile.
        profiles: the defaults of library and server.
        profile: whose runtime to count instead of the server's, which Ollama runs.

    Raises:
        UsageError: no ``FROM``, or a parameter that cannot be read.
    """
    models: list[str] = []
    adapters: list[str] = []
    parameters: dict[str, str] = {}
    for word, rest in _statements(_text(path)):
        if word == "FROM" and rest:
            models.append(_resolved(path, rest))
        elif word == "ADAPTER":
            adapters.append(_resolved(path, rest))
        elif word == "PARAMETER":
            name, value = _first_word(rest)
            parameters[name.lower()] = _unquoted(value) or ""
    if not models:
        raise UsageError(f"{path}: no FROM line", hint="a Modelfile names its model: FROM ./model.gguf")
    changes = {
        "context_tokens": _DEFAULT_CONTEXT,
        "batch_tokens": 512,
        "slots": 1,
        "unified_kv": False,
        "output_rows": 1,
        "cache_ram_bytes": 0,
        "checkpoints": 0,
        **_changes(path, parameters),
    }
    profile = profile or "server"
    options = msgspec.structs.replace(profiles[profile], **changes)
    return Command(
        deployment=Deployment(model=models[0], options=options, adapters=tuple(adapters)),
        profile=profile,
        gpu_stated="backend" in changes,
        warnings=tuple(f"FROM {name}: a further file, which is not counted" for name in models[1:]),
    )


def _changes(path: Path, parameters: dict[str, str]) -> dict[str, object]:
    changes: dict[str, object] = {
        field: _whole(path, name, parameters[name]) for name, field in _COUNTS.items() if name in parameters
    }
    layers = changes.get("gpu_layers", -1)
    if layers != -1:  # -1 leaves it to the device
        changes["backend"] = "cuda" if layers else "cpu"
    if "use_mmap" in parameters:
        changes["load_mode"] = "mmap" if _flag(path, "use_mmap", parameters) else "none"
    if "use_mlock" in parameters:
        changes["locked"] = _flag(path, "use_mlock", parameters)
    return changes


def _text(path: Path) -> str:
    """Text in UTF-8, or in UTF-16 where it starts with its mark, as Windows editors write it."""
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig")


def _statements(text: str) -> Iterator[tuple[str, str]]:
    """Instructions with their values; a value in quotes goes on over lines until its quote closes."""
    lines = iter(text.splitlines())
    for line in lines:
        word, rest = _first_word(line)
        word = word.upper()
        if not word or word.startswith("#"):
            continue
        # the quoted part of these comes after a name of its own
        named = word in ("PARAMETER", "MESSAGE")
        while _unquoted(_first_word(rest)[1] if named else rest) is None:
            following = next(lines, None)
            if following is None:
                return  # the quote never closes: Ollama refuses the rest
            rest += "\n" + following
        yield word, rest if named else _unquoted(rest) or ""


def _first_word(text: str) -> tuple[str, str]:
    word, *rest = text.split(maxsplit=1) or [""]
    return word, rest[0].strip() if rest else ""


def _unquoted(text: str) -> str | None:
    """The value without its quotes, None while they are open."""
    text = text.strip()
    for quote in ('"""', '"'):
        if text.startswith(quote):
            closed = len(text) >= 2 * len(quote) and text.endswith(quote)
            return text[len(quote) : -len(quote)] if closed else None
    return text


def _resolved(modelfile: Path, name: str) -> str:
    """Paths in a Modelfile are relative to it; a plain name is a model of a registry."""
    path = Path(name)
    if name.startswith("~"):
        try:
            return str(path.expanduser())
        except RuntimeError:  # a user without a home
            return name
    beside = modelfile.parent / path
    return str(beside) if beside.is_file() else name


def _whole(path: Path, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UsageError(
            f"{path}: PARAMETER {name} {value!r} is not a whole number", hint=f"write PARAMETER {name} 4096"
        ) from None


def _flag(path: Path, name: str, parameters: dict[str, str]) -> bool:
    value = parameters[name].lower()
    if value not in _FLAGS:
        raise UsageError(f"{path}: PARAMETER {name} {value!r} is neither true nor false", hint="write true or false")
    return _FLAGS[value]
