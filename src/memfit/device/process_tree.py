"""A process with all its descendants, and the memory they hold together.

Processes come and go while they are read: one that has ended is left out, and that is no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec

from memfit.device.meminfo import parse_meminfo
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host, LocalHost

Children: TypeAlias = "Callable[[int], Iterable[int]]"

# a process with a thousand mappings has some 700 kB of smaps; what is longer is cut and not read for ever
_MOST_SMAPS = 64 << 20
_ENDED = ("Z", "X", "x")


class PageCounts(NamedTuple):
    """``/proc/PID/statm`` in bytes.

    The kernel counts these in batches: up to 64 pages of every thread (before 6.2) or of every CPU are not in yet
    (``TASK_RSS_EVENTS_THRESH``; ``percpu_counter_batch``). ``smaps_rollup`` is exact, and costs a walk of all pages.

    Attributes:
        resident_bytes: anonymous, file-mapped and shared memory in DRAM.
        shared_bytes: the file-mapped and shared part of it.
    """

    resident_bytes: int
    shared_bytes: int

    @property
    def anonymous_bytes(self) -> int:
        """Heap, stacks and buffers."""
        return max(0, self.resident_bytes - self.shared_bytes)


class TreeMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What a process tree holds, added up from ``smaps_rollup``: a page of several processes counts once.

    Attributes:
        pids: the processes that were read.
        pss_bytes: everything in DRAM.
        anonymous_bytes: heap, stacks and buffers.
        file_bytes: file-mapped pages, as mapped weights.
        shared_bytes: shared memory (tmpfs, memfd).
        swapped_bytes: what is on swap.
        peak_bytes: the largest resident size so far of the largest process (VmHWM).
        unread: processes that belong to someone else and are not in the sums.
    """

    pids: tuple[int, ...] = ()
    pss_bytes: int = 0
    anonymous_bytes: int = 0
    file_bytes: int = 0
    shared_bytes: int = 0
    swapped_bytes: int = 0
    peak_bytes: int = 0
    unread: tuple[int, ...] = ()


def parse_statm(text: bytes | str, page_bytes: int) -> PageCounts | None:
    """None for what is no such line; ``SIZE RESIDENT SHARED …`` in pages."""
    fields = text.split(None, 3)[1:3]
    try:
        resident, shared = (int(field) for field in fields)
    except ValueError:
        return None
    return PageCounts(resident * page_bytes, shared * page_bytes)


def parse_smaps(text: str) -> dict[str, int]:
    """Every size of ``smaps_rollup`` in bytes; of ``smaps`` the sums over its mappings."""
    sums: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        if unit == "kB" and number.isdecimal():
            sums[name] = sums.get(name, 0) + int(number) * 1024
    return sums


def read_smaps(pid: int, host: Host | None = None) -> dict[str, int]:
    """The sums over a process's mappings; adds them up itself where the kernel does not (before 4.14).

    Raises:
        NeedsRoot: it belongs to someone else.
        ProbeError: there is no such process, or it has just ended.
    """
    host = host or LocalHost()
    try:
        return parse_smaps(_text(host, f"/proc/{pid}/smaps_rollup"))
    except NeedsRoot:
        raise
    except ProbeError:
        return parse_smaps(_text(host, f"/proc/{pid}/smaps"))


def split_smaps(sums: dict[str, int]) -> tuple[int, int, int]:
    """Anonymous, file-mapped and shared bytes, as shares that add up to ``Pss``.

    ``Pss_Anon``, ``Pss_File`` and ``Pss_Shmem`` are there since Linux 5.3. Before, the whole of ``Anonymous`` counts,
    and what is left of PSS is taken for file-mapped.
    """
    pss = sums.get("Pss", 0)
    anonymous = sums.get("Pss_Anon", min(sums.get("Anonymous", 0), pss))
    shared = sums.get("Pss_Shmem", 0)
    return anonymous, sums.get("Pss_File", max(0, pss - anonymous - shared)), shared


def process_tree(root: int, host: Host | None = None) -> tuple[int, ...]:
    """``root`` and its descendants, parents first; empty where there is no such process."""
    host = host or LocalHost()
    try:
        threads = host.list_dir(f"/proc/{root}/task")
    except ProbeError:
        return ()
    try:
        host.read_bytes(f"/proc/{root}/task/{threads[0]}/children", most=0)
    except (ProbeError, IndexError):  # the kernel was built without CONFIG_PROC_CHILDREN, or the process has just ended
        children = _children_by_parent(host)
        return _walk(root, lambda pid: children.get(pid, ()))
    return _walk(root, lambda pid: _children_by_thread(pid, host))


def read_tree(pids: tuple[int, ...], host: Host | None = None) -> TreeMemory:
    """The memory of these processes together; those that have ended are left out.

    Costs a walk over all their pages: some 14 ms for one GiB in pages of 4 KiB.
    """
    host = host or LocalHost()
    read: list[int] = []
    unread: list[int] = []
    sums = [0] * 5
    peak = 0
    for pid in pids:
        try:
            smaps = read_smaps(pid, host)
        except NeedsRoot:
            unread.append(pid)
            continue
        except ProbeError:
            continue
        read.append(pid)
        figures = (smaps.get("Pss", 0), *split_smaps(smaps), smaps.get("SwapPss", smaps.get("Swap", 0)))
        sums = [total + figure for total, figure in zip(sums, figures, strict=True)]
        peak = max(peak, read_peak_bytes(pid, host) or 0)
    pss, anonymous, file, shared, swapped = sums
    return TreeMemory(
        pids=tuple(read),
        pss_bytes=pss,
        anonymous_bytes=anonymous,
        file_bytes=file,
        shared_bytes=shared,
        swapped_bytes=swapped,
        peak_bytes=peak,
        unread=tuple(unread),
    )


def read_peak_bytes(pid: int, host: Host | None = None) -> int | None:
    """The largest resident size of a process so far (VmHWM); None where it has ended."""
    try:
        status = (host or LocalHost()).read_bytes(f"/proc/{pid}/status").decode("ascii", "replace")
    except ProbeError:
        return None
    return parse_meminfo(status).get("VmHWM")


def read_start_ticks(pid: int, host: Host | None = None) -> int | None:
    """When a process started, in clock ticks since boot: with its pid it names it for as long as the machine is up.

    None where there is no such process, or it has ended and nobody has asked for its exit code yet. Field 22 of
    ``/proc/PID/stat`` (proc_pid_stat(5)).
    """
    fields = _stat_fields(pid, host or LocalHost())
    if len(fields) < 20 or fields[0] in _ENDED or not fields[19].isdecimal():
        return None
    return int(fields[19])


def read_faults(pid: int, host: Host | None = None) -> tuple[int, int] | None:
    """Minor and major page faults of a process so far; None where it has ended."""
    fields = _stat_fields(pid, host or LocalHost())
    return parse_faults(fields)


def parse_faults(fields: list[str]) -> tuple[int, int] | None:
    """Fields 10 and 12 of ``/proc/PID/stat``, from what stands behind the name's bracket."""
    try:
        return int(fields[7]), int(fields[9])
    except (IndexError, ValueError):
        return None


def stat_fields(text: str) -> list[str]:
    """``/proc/PID/stat`` from field 3 on: a name may hold spaces and brackets, and the last bracket ends it."""
    return text.rpartition(")")[2].split()


def _stat_fields(pid: int, host: Host) -> list[str]:
    try:
        return stat_fields(host.read_bytes(f"/proc/{pid}/stat", most=4096).decode("utf-8", "replace"))
    except ProbeError:
        return []


def _walk(root: int, children: Children) -> tuple[int, ...]:
    found = {root: None}
    waiting = [root]
    while waiting:
        for child in children(waiting.pop(0)):
            if child not in found:  # a pid may come back as a descendant of itself between two reads
                found[child] = None
                waiting.append(child)
    return tuple(found)


def _children_by_thread(pid: int, host: Host) -> tuple[int, ...]:
    found: list[int] = []
    try:
        for thread in host.list_dir(f"/proc/{pid}/task"):
            text = host.read_bytes(f"/proc/{pid}/task/{thread}/children")
            found += [int(word) for word in text.split() if word.isdigit()]
    except ProbeError:  # a thread or the process has ended
        pass
    return tuple(found)


def _children_by_parent(host: Host) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for name in host.list_dir("/proc"):
        if name.isdecimal():
            fields = _stat_fields(int(name), host)
            if len(fields) > 1 and fields[1].isdecimal():
                found.setdefault(int(fields[1]), []).append(int(name))
    return found


def _text(host: Host, path: str) -> str:
    return host.read_bytes(path, most=_MOST_SMAPS).decode("utf-8", "replace")
