"""A prediction beside a running process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.device.environment import read_variables
from memfit.device.process import ProcessMemory, read_command, read_process
from memfit.errors import ProbeError
from memfit.footprint.predict import with_device
from memfit.footprint.records import Footprint
from memfit.host import Host, LocalHost


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What was predicted for a process and what it holds now.

    ``residual_bytes`` is observed less predicted: PSS and swap against the likely footprint. It is negative until the
    process has touched what it reserved.
    """

    footprint: Footprint
    process: ProcessMemory
    observed_bytes: int
    residual_bytes: int
    residual_ratio: float
    schema_version: int = 1


def compare(footprint: Footprint, pid: int, host: Host | None = None) -> Comparison:
    """Read process ``pid`` and put it beside ``footprint``.

    Raises:
        ProbeError: there is no such process.
        NeedsRoot: it belongs to someone else.
    """
    process = read_process(pid, host)
    observed = process.pss_bytes + process.swapped_bytes
    if footprint.device.name == "this machine":
        # MemAvailable has this process's own memory deducted, which a new start would find free again
        own = footprint.device.capacity_bytes + process.anonymous_bytes
        footprint = with_device(footprint, msgspec.structs.replace(footprint.device, capacity_bytes=own))
    return Comparison(
        footprint=footprint,
        process=process,
        observed_bytes=observed,
        residual_bytes=observed - footprint.likely_bytes,
        residual_ratio=round((observed - footprint.likely_bytes) / max(1, footprint.likely_bytes), 4),
    )


# variables that llama.cpp's programs read as options, and those of its backends
_VARIABLES = ("LLAMA_ARG_", "GGML_")


def command_of(pid: int, host: Host | None = None) -> tuple[str, ...]:
    """The command line of a process, as one could type it in any folder.

    Variables that the engine reads as options stand before it, file names are absolute by the folder it runs in.

    Raises:
        ProbeError: there is no such process.
    """
    host = host or LocalHost()
    words = read_command(pid, host)
    variables = read_variables(pid, _VARIABLES, host)
    try:
        folder = Path(host.read_link(f"/proc/{pid}/cwd"))
    except ProbeError:  # someone else's process, or a recording without it: names stay as they are
        folder = Path()
    words = tuple(_absolute(word, folder) for word in words)
    variables = {name: _absolute(value, folder) for name, value in variables.items()}
    return (*(f"{name}={value}" for name, value in variables.items()), *words)


def _absolute(word: str, folder: Path) -> str:
    """Files in a word, where several may stand (``a.gguf,b.gguf``), each with a scale (``a.gguf:0.5``)."""
    return ",".join(
        str(folder / file) if file.partition(":")[0].endswith(".gguf") and not file.startswith(("/", "-")) else file
        for file in word.split(",")
    )
