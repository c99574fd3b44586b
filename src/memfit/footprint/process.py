"""A prediction beside a running process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.device.process import ProcessMemory, read_command, read_process
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


def command_of(pid: int, host: Host | None = None) -> tuple[str, ...]:
    """The command line of a process, its file names made absolute by the folder it runs in.

    Raises:
        ProbeError: there is no such process.
    """
    words = read_command(pid, host)
    if not isinstance(host or LocalHost(), LocalHost):
        return words
    folder = Path(f"/proc/{pid}/cwd")
    return tuple(
        str(folder.resolve() / word) if word.endswith(".gguf") and not word.startswith("/") else word for word in words
    )
