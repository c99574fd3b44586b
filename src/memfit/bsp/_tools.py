"""The programs of a device tree: ``cpp``, ``dtc`` and ``fdtput``, run as the flash tools run them.

Others wrote what they read: each has so much memory, time and output, and no more.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from memfit.errors import ProbeError
from memfit.units import GIB, KIB, MIB, format_bytes

_LONGEST_S = 10
_MOST_MEMORY_BYTES, _MOST_OUTPUT_BYTES, _MOST_TEXT_BYTES = GIB, 64 * MIB, 2 * MIB
_INSTALL = {"cpp": "cpp", "dtc": "device-tree-compiler", "fdtput": "device-tree-compiler"}
_CPP = ("-nostdinc", "-undef", "-D__DTS__", "-x", "assembler-with-cpp")
_MOST_SAID, _MOST_COMPLAINT_BYTES = 400, 64 * KIB
_RUNS = "it has to be a program that can be run here"
_TOO_MUCH = "look for an include of a device or a pipe, or of something that includes itself or is no configuration"
# whatever is read into memory or written without end stops there; ulimit -f counts 512 bytes, -v KiB
_LIMITED = '{ ulimit -c 0; ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; } 2>/dev/null; shift 3; exec "$@"'


def preprocess(main: str, folder: Path, includes: tuple[str, ...]) -> bytes:
    """A source with all it includes, its macros among it, and lines that say where each part comes from.

    ``main`` and ``includes`` are paths from ``folder``.

    Raises:
        ProbeError: cpp is not installed, or an include is missing.
    """
    search = tuple(word for include in includes for word in ("-I", include))
    code, said, complaint = _run("cpp", (*_CPP, "-dD", *search, main), folder, main, most=_MOST_TEXT_BYTES)
    if code:
        raise _refused("cpp", main, complaint)
    return said


def compile_source(source: bytes, main: str, folder: Path) -> bytes:
    """The blob of a preprocessed source.

    Raises:
        ProbeError: dtc is not installed, or refuses it.
    """
    code, said, complaint = _run("dtc", ("-q", "-I", "dts", "-O", "dtb", "-o", "-", "-"), folder, main, source)
    if code:
        raise _refused("dtc", main, complaint)
    return said


def decompile(blob: bytes, file: str) -> str:
    """A blob as a source.

    Raises:
        ProbeError: dtc is not installed, or refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        code, said, complaint = _run("dtc", ("-q", "-I", "dtb", "-O", "dts", "-o", "-", "-"), Path(folder), file, blob)
    if code:
        raise _refused("dtc", file, complaint)
    return said.decode("utf-8", "replace")


def put_string(blob: bytes, path: str, name: str, value: str, file: str) -> bytes:
    """A blob with a property of one node set; every other byte of its tree stays.

    Raises:
        ProbeError: fdtput is not installed, or refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        copy = Path(folder, "tree.dtb")
        copy.write_bytes(blob)
        code, _, complaint = _run("fdtput", ("-t", "s", copy.name, path, name, value), Path(folder), file)
        if code:
            raise _refused("fdtput", file, complaint)
        return copy.read_bytes()


def _run(
    program: str, words: tuple[str, ...], folder: Path, file: str, given: bytes = b"", most: int = _MOST_OUTPUT_BYTES
) -> tuple[int, bytes, str]:
    """How a program ends on a file, what it writes and what it complains of."""
    found = shutil.which(program)
    if found is None:
        package = _INSTALL[program]
        raise ProbeError(f"{file}: {program} is not installed here", hint=f"sudo apt-get install {package}, then again")
    limits = (str(_LONGEST_S), str(_MOST_MEMORY_BYTES // KIB), str(most // 512 + 1))
    command = ("/bin/sh", "-c", _LIMITED, program, *limits, found, *words)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaint:
        try:
            code = _waited(command, folder, given, output, complaint)
        except subprocess.TimeoutExpired:
            raise ProbeError(f"{file}: {program} comes to no end within {_LONGEST_S} s", hint=_TOO_MUCH) from None
        except OSError as error:
            raise ProbeError(f"{file}: {program} in {folder}: {error.strerror}", hint=_RUNS) from error
        if output.seek(0, os.SEEK_END) > most:
            raise ProbeError(f"{file}: {program} makes more than {format_bytes(most)} of it", hint=_TOO_MUCH)
        output.seek(0)
        complaint.seek(0)
        return code, output.read(), complaint.read(_MOST_COMPLAINT_BYTES).decode("utf-8", "replace")


def _waited(command: Sequence[str], folder: Path, given: bytes, output: IO[bytes], complaint: IO[bytes]) -> int:
    """How it ends; cpp has a child of its own, which goes with it."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=complaint,
        cwd=folder,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            process.communicate(given, timeout=_LONGEST_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode


def _refused(program: str, main: str, complaint: str) -> ProbeError:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() and "aborting" not in line] or lines
    said = next(iter(told), "it gives no reason")
    hint = "mend that line, or take the file from the BSP again: NVIDIA's flash tools refuse it too"
    if "No such file" in said:
        hint = "unpack the whole Driver Package (BSP) of this release, or put the file beside what includes it"
    elif "memory" in said:
        hint = _TOO_MUCH
    return ProbeError(f"{main}: {program}: {said[:_MOST_SAID]}", hint=hint)
