"""A running process: its command line and the memory it holds."""

from __future__ import annotations

import msgspec

from memfit.device.meminfo import parse_meminfo
from memfit.device.process_tree import read_smaps
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host, LocalHost


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What one process holds, from ``/proc/PID/smaps_rollup`` (``smaps`` before Linux 4.14).

    Attributes:
        pss_bytes: its fair share of resident memory, shared pages divided among their users.
        anonymous_bytes: heap, stacks and buffers, which the kernel cannot drop.
        file_bytes: resident file-mapped pages, as the mapped weights.
        swapped_bytes: what it has on swap.
        peak_bytes: the largest resident size so far (VmHWM).
    """

    pid: int
    command: tuple[str, ...]
    pss_bytes: int
    anonymous_bytes: int
    file_bytes: int
    swapped_bytes: int
    peak_bytes: int


def read_process(pid: int, host: Host | None = None) -> ProcessMemory:
    """A process of ``host`` (this machine where None).

    Raises:
        ProbeError: there is no such process.
        NeedsRoot: it belongs to someone else.
    """
    host = host or LocalHost()
    command = read_command(pid, host)
    try:
        rollup = read_smaps(pid, host)
    except NeedsRoot as error:
        raise NeedsRoot(f"process {pid} belongs to someone else", hint="run again with sudo") from error
    status = parse_meminfo(host.read_bytes(f"/proc/{pid}/status").decode("ascii", "replace"))
    pss, anonymous = rollup.get("Pss", 0), rollup.get("Anonymous", 0)
    return ProcessMemory(
        pid=pid,
        command=command,
        pss_bytes=pss,
        anonymous_bytes=anonymous,
        file_bytes=rollup.get("Pss_File", max(0, pss - anonymous)),
        swapped_bytes=rollup.get("SwapPss", rollup.get("Swap", 0)),
        peak_bytes=status.get("VmHWM", 0),
    )


def read_command(pid: int, host: Host | None = None) -> tuple[str, ...]:
    """The words a process was started with.

    Raises:
        ProbeError: there is no such process, or it is a kernel thread.
    """
    host = host or LocalHost()
    try:
        raw = host.read_bytes(f"/proc/{pid}/cmdline", most=1 << 17)
    except ProbeError as error:
        raise ProbeError(f"no process {pid}", hint="find it with: pidof llama-server") from error
    words = tuple(word.decode("utf-8", "replace") for word in raw.rstrip(b"\0").split(b"\0"))
    if not raw:
        raise ProbeError(f"process {pid} has no command line", hint="it is a kernel thread or has ended")
    return words
