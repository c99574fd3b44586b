"""Every process with its memory, its command and the control group it runs in."""

from __future__ import annotations

import msgspec

from memfit.device.facts._fact import Fact
from memfit.device.meminfo import parse_meminfo
from memfit.device.process_table import ProcessFacts, parse_rollup, parse_stat
from memfit.device.reading import read_text
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host

_LONGEST_COMMAND = 4096
_UPTIME = "/proc/uptime"
_FILES = ("stat", "status", "cmdline", "cgroup", "smaps_rollup")


def read(host: Host) -> tuple[ProcessFacts, ...]:
    """Processes with memory of their own, by id; none where nothing runs.

    A process may end between two of its files: it is left out then. Kernel threads have no memory and are left out too.
    """
    try:
        names = host.list_dir("/proc")
    except ProbeError:
        return ()
    found = [facts for name in names if name.isdigit() and (facts := _read_process(host, int(name))) is not None]
    # a kernel before 4.14 has no rollup of any process; where others have one, whoever has none is ending
    ending = any(facts.memory for facts in found)
    kept = (facts for facts in found if facts.memory != {} or not ending)
    return tuple(sorted(map(_unknown_where_empty, kept), key=lambda facts: facts.pid))


def read_uptime(host: Host) -> float | None:
    """Seconds since boot; None where nothing runs."""
    words = (read_text(host, _UPTIME, most=64) or "").split()
    try:
        return float(words[0]) if words else None
    except ValueError:
        return None


def _read_process(host: Host, pid: int) -> ProcessFacts | None:
    folder = f"/proc/{pid}"
    try:
        stat = parse_stat(_text(host, f"{folder}/stat"))
        if stat is None or not stat.has_memory:
            return None
        words = _text(host, f"{folder}/cmdline").split("\0")
        return ProcessFacts(
            pid=pid,
            parent=stat.parent,
            name=stat.name,
            command=tuple(word for word in words if word),
            started_s=stat.started_s,
            computed_s=stat.computed_s,
            rss_bytes=stat.rss_bytes,
            threads=stat.threads,
            cgroup=_text(host, f"{folder}/cgroup"),
            memory=_memory(host, folder),
            tables_bytes=_tables(host, folder),
        )
    except ProbeError:
        return None


def _memory(host: Host, folder: str) -> dict[str, int] | None:
    """None where it may not be read; empty where there is nothing to read."""
    try:
        return parse_rollup(_text(host, f"{folder}/smaps_rollup"))
    except NeedsRoot:
        return None
    except ProbeError:
        return {}


def _tables(host: Host, folder: str) -> int | None:
    """None where it has ended since, or was not recorded."""
    try:
        return parse_meminfo(_text(host, f"{folder}/status")).get("VmPTE")
    except ProbeError:
        return None


def _unknown_where_empty(facts: ProcessFacts) -> ProcessFacts:
    return facts if facts.memory else msgspec.structs.replace(facts, memory=None)


def _text(host: Host, path: str) -> str:
    return host.read_bytes(path, most=_LONGEST_COMMAND).decode("utf-8", "replace")


FACT = Fact(
    paths=("/proc", _UPTIME, *(f"/proc/[0-9]*/{name}" for name in _FILES)),
    read=read,
    provides="every process with its memory, command and control group",
)
