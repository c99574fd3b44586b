"""One process as ``/proc`` shows it, before anyone asks what it is for."""

from __future__ import annotations

import msgspec

from memfit.device.kernel_memory import PAGE_BYTES
from memfit.device.meminfo import parse_meminfo

_KERNEL_THREAD = 0x0020_0000  # PF_KTHREAD, include/linux/sched.h
_TICKS = 100  # USER_HZ, which is 100 on every architecture that Linux runs on here


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one process.

    Attributes:
        name: of its program, 15 letters at most (``comm``).
        command: the words it was started with.
        started_s: since boot; ``computed_s``: processor time so far.
        cgroup: the text of ``/proc/PID/cgroup``.
        memory: sizes of ``smaps_rollup``; None where only root may read it.
        tables_bytes: its page tables, ``VmPTE`` of ``/proc/PID/status``; None where that was not read.
    """

    pid: int
    parent: int
    name: str
    command: tuple[str, ...]
    started_s: float
    computed_s: float
    rss_bytes: int
    threads: int = 1
    cgroup: str
    memory: dict[str, int] | None
    tables_bytes: int | None = None


class Stat(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of ``/proc/PID/stat``; ``has_memory`` is false of kernel threads and of processes that have ended."""

    name: str
    parent: int
    has_memory: bool
    started_s: float
    computed_s: float
    rss_bytes: int
    threads: int = 1


def parse_stat(text: str) -> Stat | None:
    """None for what is no such line. A name may hold spaces and brackets: the last ``)`` ends it."""
    front, _, rest = text.rpartition(")")
    fields = rest.split()
    name = front.partition("(")[2]
    if len(fields) < 22 or not name:
        return None
    try:
        state, parent, flags = fields[0], int(fields[1]), int(fields[6])
        computed, started, rss = int(fields[11]) + int(fields[12]), int(fields[19]), int(fields[21])
        threads = int(fields[17])
    except ValueError:
        return None
    return Stat(
        name=name,
        parent=parent,
        has_memory=state not in ("Z", "X", "x") and not flags & _KERNEL_THREAD,
        started_s=started / _TICKS,
        computed_s=computed / _TICKS,
        rss_bytes=rss * PAGE_BYTES,
        threads=max(1, threads),
    )


def parse_rollup(text: str) -> dict[str, int]:
    """Sizes of a ``smaps_rollup`` in bytes; its first line is a range of addresses and no size."""
    return parse_meminfo(text)
