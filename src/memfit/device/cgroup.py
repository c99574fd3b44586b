"""The memory of a control group, of version 1 or 2, as its files tell it.

Files and fields: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst of Linux 6.18. What an older kernel
does not count is None: ``memory.peak`` came with 5.19, refaults of a version 1 group with 5.8.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.device.pressure import Pressure, parse_pressure
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost

Version = Literal[1, 2]

# version 1 writes "no limit" as the largest number of whole pages that fits a signed 64-bit integer
_NO_LIMIT = 1 << 62
# what the kernel took on behalf of the group and cannot give back; the sum `kernel` came with 5.18
_KERNEL = ("kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock", "vmalloc", "slab_unreclaimable")


class Cgroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of the memory controller: its version and its folder."""

    version: Version
    folder: str

    @property
    def usage_path(self) -> str:
        """The file that holds what is charged now."""
        return f"{self.folder}/{'memory.current' if self.version == 2 else 'memory.usage_in_bytes'}"

    @property
    def stat_path(self) -> str:
        """The file with the parts of it."""
        return f"{self.folder}/memory.stat"


class CgroupMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What a group and those below it are charged with; None where this kernel does not say.

    Attributes:
        usage_bytes: now, page cache included.
        peak_bytes: the most there was.
        limit_bytes: None without a limit.
        swap_bytes: on swap.
        anonymous_bytes, file_bytes, shared_bytes: heaps and buffers; page cache without shared memory; shared memory.
        kernel_bytes: page tables, stacks, unreclaimable slab.
        major_faults: pages that had to be read.
        refaults_file, refaults_anonymous: pages read again soon after they were dropped.
        limit_failures: how often the limit was hit.
        oom_kills: processes the kernel killed here.
        pressure: time that tasks waited for memory; version 2 alone has it.
    """

    usage_bytes: int | None = None
    peak_bytes: int | None = None
    limit_bytes: int | None = None
    swap_bytes: int | None = None
    anonymous_bytes: int | None = None
    file_bytes: int | None = None
    shared_bytes: int | None = None
    kernel_bytes: int | None = None
    major_faults: int | None = None
    refaults_file: int | None = None
    refaults_anonymous: int | None = None
    limit_failures: int | None = None
    oom_kills: int | None = None
    pressure: Pressure | None = None

    @property
    def unevictable_bytes(self) -> int | None:
        """What the kernel cannot drop without swap: anonymous, shared and kernel memory."""
        if self.anonymous_bytes is None:
            return None
        return self.anonymous_bytes + (self.shared_bytes or 0) + (self.kernel_bytes or 0)

    @property
    def refaults(self) -> int | None:
        """Both kinds of refaults."""
        known = [count for count in (self.refaults_file, self.refaults_anonymous) if count is not None]
        return sum(known) if known else None


class StatParts(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of ``memory.stat`` that memfit reads, under one name for both versions."""

    anonymous_bytes: int | None = None
    file_bytes: int | None = None
    shared_bytes: int | None = None
    kernel_bytes: int | None = None
    major_faults: int | None = None
    refaults_file: int | None = None
    refaults_anonymous: int | None = None


def cgroup_at(folder: str, host: Host | None = None) -> Cgroup:
    """The group in a folder.

    Raises:
        ProbeError: there is none, or the memory controller does not count it.
    """
    host = host or LocalHost()
    folder = folder.rstrip("/") or "/"
    for version in (2, 1):
        group = Cgroup(version=version, folder=folder)
        try:
            host.read_bytes(group.usage_path, most=32)
        except ProbeError:
            continue
        return group
    raise ProbeError(
        f"{folder}: not a control group of the memory controller",
        hint="give a folder with memory.current (cgroup v2) or memory.usage_in_bytes (v1)",
    )


def find_cgroup(pid: int | None = None, host: Host | None = None) -> Cgroup | None:
    """The group that charges a process (memfit itself where None); None where no controller does, or it is not shown.

    On a machine with both versions the memory controller belongs to one of them.
    """
    host = host or LocalHost()
    who = "self" if pid is None else str(pid)
    try:
        groups = host.read_bytes(f"/proc/{who}/cgroup").decode("utf-8", "replace")
        mounts = host.read_bytes(f"/proc/{who}/mountinfo").decode("utf-8", "replace")
    except ProbeError:
        return None
    for version, path in parse_memory_groups(groups):
        for root, folder in _mounts(mounts, version):
            inside = path if root == "/" else path.removeprefix(root)
            if ".." in inside.split("/"):  # a group above the part that this mount shows
                continue
            try:
                return cgroup_at(folder + inside.rstrip("/"), host)
            except ProbeError:
                continue
    return None


def parse_memory_groups(text: str) -> tuple[tuple[Version, str], ...]:
    """Version and path of the groups in ``/proc/PID/cgroup`` that may count memory; version 1 first where it does."""
    ones: list[tuple[Version, str]] = []
    twos: list[tuple[Version, str]] = []
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and path.startswith("/"):
            if "memory" in controllers.split(","):
                ones.append((1, path.removesuffix(" (deleted)")))
            elif number == "0" and not controllers:
                twos.append((2, path.removesuffix(" (deleted)")))
    return (*ones, *twos)


def read_cgroup(cgroup: Cgroup, host: Host | None = None) -> CgroupMemory:
    """All its figures now; those of a group that is gone are None."""
    host = host or LocalHost()

    def text(name: str) -> str:
        try:
            return host.read_bytes(f"{cgroup.folder}/{name}").decode("ascii", "replace")
        except ProbeError:
            return ""

    parts = parse_stat(text("memory.stat"), cgroup.version)
    named = {name: getattr(parts, name) for name in StatParts.__struct_fields__}
    if cgroup.version == 2:
        events = parse_table(text("memory.events"))
        return CgroupMemory(
            usage_bytes=parse_number(text("memory.current")),
            peak_bytes=parse_number(text("memory.peak")),
            limit_bytes=parse_number(text("memory.max")),
            swap_bytes=parse_number(text("memory.swap.current")),
            limit_failures=events.get("max"),
            oom_kills=_killed(events),
            pressure=parse_pressure(text("memory.pressure")),
            **named,
        )
    usage, both = parse_number(text("memory.usage_in_bytes")), parse_number(text("memory.memsw.usage_in_bytes"))
    if named["kernel_bytes"] is None:
        named["kernel_bytes"] = parse_number(text("memory.kmem.usage_in_bytes"))
    return CgroupMemory(
        usage_bytes=usage,
        peak_bytes=parse_number(text("memory.max_usage_in_bytes")),
        limit_bytes=parse_number(text("memory.limit_in_bytes")),
        swap_bytes=None if usage is None or both is None else max(0, both - usage),
        limit_failures=_sum(parse_number(text("memory.failcnt")), parse_number(text("memory.memsw.failcnt"))),
        oom_kills=parse_table(text("memory.oom_control")).get("oom_kill"),
        **named,
    )


def _killed(events: dict[str, int]) -> int | None:
    """Where all of a group are killed, the first one is counted twice (``mm/oom_kill.c:oom_kill_process``).

    Before 5.17 the kernel does not tell how often that was.
    """
    kills, twice = events.get("oom_kill"), events.get("oom_group_kill", 0)
    return kills if kills is None or kills <= twice else kills - twice


def parse_stat(text: str, version: Version) -> StatParts:
    """``memory.stat`` of a group with those below it (version 1: the ``total_`` fields)."""
    stat = parse_table(text)
    if version == 1:
        # a group below the root has both; one without `use_hierarchy` has no totals on very old kernels
        def figure(name: str) -> int | None:
            return stat.get(f"total_{name}", stat.get(name))

        shared, cache = figure("shmem"), figure("cache")
        return StatParts(
            anonymous_bytes=figure("rss"),
            file_bytes=None if cache is None else max(0, cache - (shared or 0)),
            shared_bytes=shared,
            major_faults=figure("pgmajfault"),
            refaults_file=figure("workingset_refault_file"),
            refaults_anonymous=figure("workingset_refault_anon"),
        )
    shared, file = stat.get("shmem"), stat.get("file")
    known = [stat[name] for name in _KERNEL if name in stat]
    return StatParts(
        anonymous_bytes=stat.get("anon"),
        file_bytes=None if file is None else max(0, file - (shared or 0)),
        shared_bytes=shared,
        kernel_bytes=sum(known) if known else None,
        major_faults=stat.get("pgmajfault"),
        # counted as one before 5.9
        refaults_file=stat.get("workingset_refault_file", stat.get("workingset_refault")),
        refaults_anonymous=stat.get("workingset_refault_anon"),
    )


def parse_table(text: str) -> dict[str, int]:
    """Lines ``name number``; others are left out."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isascii() and pair[1].isdecimal()}


def parse_number(text: str) -> int | None:
    """The number in a file; None for ``max``, for version 1's "no limit", and for anything else."""
    word = text.strip()
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 20 else None
    return None if number is None or number >= _NO_LIMIT else number


def _mounts(text: str, version: Version) -> list[tuple[str, str]]:
    """Root and place of every mount of this version's memory controller (proc_pid_mountinfo(5))."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == ("cgroup2" if version == 2 else "cgroup") and (version == 2 or "memory" in kind[2].split(",")):
            found.append((fields[3], fields[4].replace("\\040", " ").rstrip("/")))
    return found


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None else one + (other or 0)
