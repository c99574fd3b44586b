"""The processes of a run while it lasts: who belongs to it, and what they hold by ``statm``."""

from __future__ import annotations

import os
import threading
import time

from memfit.device.meminfo import parse_meminfo
from memfit.device.process_tree import PageCounts, parse_faults, parse_statm, process_tree, stat_fields
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.host.repeated import RepeatedFile

RESCAN_S = 1.0
"""How often descendants are looked for. One that lives shorter than this may never be seen."""

_RESCAN_SHARE = 0.002
"""Of the time, at most, is spent looking: a kernel that lists no children has all of ``/proc`` read."""


class _Member:
    """One process; its files stay open, so that a later process of the same number is not taken for it."""

    def __init__(self, pid: int, host: Host) -> None:
        self.pid = pid
        self.faults = 0
        self.peak_bytes = 0
        self._statm = RepeatedFile(f"/proc/{pid}/statm", host)
        self._status = RepeatedFile(f"/proc/{pid}/status", host)
        self._stat = RepeatedFile(f"/proc/{pid}/stat", host)

    def pages(self, page_bytes: int) -> PageCounts | None:
        """What it holds; None where it has ended."""
        try:
            return parse_statm(self._statm.read(256), page_bytes)
        except ProbeError:
            return None

    def look(self) -> None:
        """Its true peak and its major faults so far; what was seen last stays when it has ended."""
        try:
            status = self._status.read().decode("ascii", "replace")
            found = parse_faults(stat_fields(self._stat.read(4096).decode("utf-8", "replace")))
        except ProbeError:
            return
        # in bytes; a zombie has none
        self.peak_bytes = max(self.peak_bytes, parse_meminfo(status).get("VmHWM", 0))
        self.faults = max(self.faults, 0 if found is None else found[1])

    def close(self) -> None:
        for file in (self._statm, self._status, self._stat):
            file.close()


class Tree:
    """A process and its descendants; those that outlive their parent stay members.

    Args:
        root_pid: the run's first process.
        host: the machine.
    """

    def __init__(self, root_pid: int, host: Host) -> None:
        self.root_pid = root_pid
        self._host = host
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._members: dict[int, _Member] = {}
        self._ended_faults = 0
        self._ended_peak_bytes = 0
        self._largest_sum_bytes = 0
        self._next_scan_s = 0.0
        self._found = False
        self._lock = threading.Lock()

    @property
    def pids(self) -> tuple[int, ...]:
        """The members that lived when they were last looked at."""
        with self._lock:
            return tuple(self._members)

    @property
    def peak_resident_bytes(self) -> int:
        """The most that was resident.

        Of one process its true peak (VmHWM), however short. Of several the largest sum that was seen, which may miss a
        peak between two looks, or the true peak of the largest one where that is more.
        """
        with self._lock:
            peaks = [member.peak_bytes for member in self._members.values()]
            return max([self._largest_sum_bytes, self._ended_peak_bytes, *peaks])

    @property
    def major_faults(self) -> int:
        """Of all members so far, ended ones included."""
        with self._lock:
            return self._ended_faults + sum(member.faults for member in self._members.values())

    def read(self) -> PageCounts:
        """The sums over the members now. Pages that several of them share count in each: ``smaps_rollup`` is exact."""
        with self._lock:
            if time.monotonic() >= self._next_scan_s:
                self._scan()
            resident = shared = 0
            for member in tuple(self._members.values()):
                pages = member.pages(self._page_bytes)
                if pages is None:
                    self._end(member)
                    continue
                resident += pages.resident_bytes
                shared += pages.shared_bytes
            self._largest_sum_bytes = max(self._largest_sum_bytes, resident)
            return PageCounts(resident, shared)

    def scan(self) -> tuple[int, ...]:
        """Look for descendants now; returns all members."""
        with self._lock:
            self._scan()
            return tuple(self._members)

    def close(self) -> None:
        """Look once more, and let go of every file."""
        with self._lock:
            for member in tuple(self._members.values()):
                member.look()
                self._end(member)

    def _scan(self) -> None:
        began = time.monotonic()
        self._let_go_of_ended()
        if self._found and not self._members:
            return  # what has the root's number now is another process
        seen: set[int] = set()
        for root in tuple(self._members) or (self.root_pid,):
            if root in seen:  # found below another one; what is not has lost its parent
                continue
            for pid in process_tree(root, self._host):
                seen.add(pid)
                if pid not in self._members:
                    self._members[pid] = _Member(pid, self._host)
        self._let_go_of_ended()
        for member in self._members.values():
            member.look()
        self._found = self._found or bool(self._members)
        now = time.monotonic()
        self._next_scan_s = now + max(RESCAN_S, (now - began) / _RESCAN_SHARE)

    def _let_go_of_ended(self) -> None:
        for member in tuple(self._members.values()):
            if member.pages(self._page_bytes) is None:
                self._end(member)

    def _end(self, member: _Member) -> None:
        self._ended_faults += member.faults
        self._ended_peak_bytes = max(self._ended_peak_bytes, member.peak_bytes)
        member.close()
        del self._members[member.pid]
