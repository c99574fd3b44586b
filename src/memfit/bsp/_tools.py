"""The programs of a device tree: ``cpp``, ``dtc`` and ``fdtput``, run as the flash tools run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from memfit.errors import ProbeError

_LONGEST_S = 30.0
_INSTALL = {"cpp": "cpp", "dtc": "device-tree-compiler", "fdtput": "device-tree-compiler"}
_CPP = ("-nostdinc", "-undef", "-D__DTS__", "-x", "assembler-with-cpp")
_MOST_SAID = 400


def preprocess(main: str, folder: Path, includes: tuple[str, ...]) -> bytes:
    """A source with all it includes, its macros among it, and lines that say where each part comes from.

    ``main`` and ``includes`` are paths from ``folder``.

    Raises:
        ProbeError: cpp is not installed, or an include is missing.
    """
    search = tuple(word for include in includes for word in ("-I", include))
    code, said, complaint = _run("cpp", (*_CPP, "-dD", *search, main), folder)
    if code:
        raise _refused("cpp", main, complaint)
    return said


def compile_source(source: bytes, main: str, folder: Path) -> bytes:
    """The blob of a preprocessed source.

    Raises:
        ProbeError: dtc is not installed, or refuses it.
    """
    code, said, complaint = _run("dtc", ("-q", "-I", "dts", "-O", "dtb", "-o", "-", "-"), folder, source)
    if code:
        raise _refused("dtc", main, complaint)
    return said


def put_string(blob: bytes, path: str, name: str, value: str, file: str) -> bytes:
    """A blob with a property of one node set; every other byte of its tree stays.

    Raises:
        ProbeError: fdtput is not installed, or refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        copy = Path(folder, "tree.dtb")
        copy.write_bytes(blob)
        code, _, complaint = _run("fdtput", ("-t", "s", copy.name, path, name, value), Path(folder))
        if code:
            raise _refused("fdtput", file, complaint)
        return copy.read_bytes()


def _run(program: str, words: tuple[str, ...], folder: Path, given: bytes = b"") -> tuple[int, bytes, str]:
    found = shutil.which(program)
    if found is None:
        package = _INSTALL[program]
        raise ProbeError(f"{program} is not installed here", hint=f"sudo apt-get install {package}, then again")
    try:
        done = subprocess.run(
            [found, *words],
            input=given,
            capture_output=True,
            cwd=folder,
            timeout=_LONGEST_S,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise ProbeError(f"{program} comes to no end on {words[-1]}") from None
    except OSError as error:
        raise ProbeError(f"{program} in {folder}: {error.strerror}") from error
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def _refused(program: str, main: str, complaint: str) -> ProbeError:
    lines = [line for line in complaint.splitlines() if "rror" in line] or complaint.splitlines() or ["no reason"]
    missing = "No such file" in lines[0]
    hint = "unpack the whole Driver Package (BSP) of this release" if missing else "NVIDIA's flash tools refuse it too"
    return ProbeError(f"{main}: {program}: {lines[0].strip()[:_MOST_SAID]}", hint=hint)
