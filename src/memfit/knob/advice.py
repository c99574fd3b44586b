"""What holds memory and no knob touches: told, and left to whoever knows what it is for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator

from memfit.agent.denied import is_denied
from memfit.device.audit_records import Advice, Audit, ProcessRow
from memfit.knob.offers import offer_paths
from memfit.units import GIB, MIB

_LEAST_BYTES = 16 * MIB
"""What is smaller is not worth anybody's time."""
_WORN = ("emmc", "sd", "usb")
_MOST_NAMES = 3


def advice(audit: Audit) -> tuple[Advice, ...]:
    """Everything worth saying of one machine, the largest first; nothing of an image."""
    if not audit.terms:
        return ()
    makers: tuple[Callable[[Audit], Iterable[Advice]], ...] = (
        _idle, _services, _sessions, _containers, _files_in_memory, _page_cache, _swap_file, _engine,
    )  # fmt: skip
    found = [one for make in makers for one in make(audit)]
    return tuple(sorted(found, key=lambda one: -one.bytes))  # stable: what has no size keeps its order


def _idle(audit: Audit) -> Iterator[Advice]:
    rows = [row for row in audit.processes if row.role == "idle python"]
    if rows:
        pids = " ".join(str(row.pid) for row in rows)
        told = f"{_names(rows)}: interpreters that compute nothing; where nobody waits for them, kill {pids}"
        yield Advice(name="idle_python", bytes=_held(audit, rows), words=told)


def _services(audit: Audit) -> Iterator[Advice]:
    """Units that no knob knows and the agent would not refuse: whether they are needed, memfit cannot know."""
    known = {path.rpartition("/")[2] for path in offer_paths()}
    units: dict[str, list[ProcessRow]] = {}
    for row in audit.processes:
        unit = row.unit or ""
        if row.kind == "service" and unit.endswith(".service") and row.role in ("", "python", "snap"):
            units.setdefault(unit, []).append(row)
    for unit, rows in units.items():
        size = _held(audit, rows)
        if size >= _LEAST_BYTES and unit not in known and not is_denied(unit):
            # systemd writes a dash of a name as \x2d, which no shell may take apart
            stop = shlex.join(("sudo", "systemctl", "disable", "--now", unit))
            told = f"{_names(rows)}: no knob knows this unit; where nobody needs it, {stop}"
            yield Advice(name=unit, bytes=size, words=told)


def _sessions(audit: Audit) -> Iterator[Advice]:
    names: dict[str, list[ProcessRow]] = {}
    for row in audit.processes:
        if row.kind == "session" and row.role in ("", "python"):
            names.setdefault(row.name, []).append(row)
    for name, rows in names.items():
        size = _held(audit, rows)
        if size >= _LEAST_BYTES:
            pids = " ".join(str(row.pid) for row in rows)
            yield Advice(name=name, bytes=size, words=f"somebody's session runs it ({pids}); end it where it is done")


def _containers(audit: Audit) -> Iterator[Advice]:
    units: dict[str, list[ProcessRow]] = {}
    for row in audit.processes:
        if row.role == "container" and row.unit:
            units.setdefault(row.unit, []).append(row)
    for unit, rows in units.items():
        size = _held(audit, rows)
        if size >= _LEAST_BYTES:
            engine, _, id = unit.partition(" ")
            stop = shlex.join((engine, "stop", id)) if engine in ("docker", "podman") else f"stop {unit}"
            yield Advice(name=unit, bytes=size, words=f"{_names(rows)}: where nobody needs it, {stop}")


def _files_in_memory(audit: Audit) -> Iterator[Advice]:
    for term in audit.terms:
        if term.name == "tmpfs" and term.holder and term.bytes >= _LEAST_BYTES:
            told = f"files in {term.holder} lie in memory: move or remove what is large (du -xh {term.holder})"
            yield Advice(name=term.holder, bytes=term.bytes, words=told)


def _page_cache(audit: Audit) -> Iterator[Advice]:
    clean = sum(term.bytes for term in audit.terms if term.name == "clean_files")
    if clean >= _LEAST_BYTES:
        told = "files that were read; MemAvailable counts it, and it goes when memory is asked for"
        tegra = any("tegra" in name for name in audit.compatible)
        cuda = ". cudaMemGetInfo counts it as used: where an engine asks that, memfit apply --knob drop_caches"
        yield Advice(name="page_cache", bytes=clean, words=told + (cuda if tegra else ""))


def _swap_file(audit: Audit) -> Iterator[Advice]:
    """Where the knob of that name does nothing: it makes one on the disk of ``/`` alone."""
    on_disk = any(swap.kind in ("file", "partition") for swap in audit.swaps)
    if audit.linux_bytes is None or on_disk or any(disk.mount == "/" and disk.kind == "nvme" for disk in audit.storage):
        return
    size = max(1, round(audit.linux_bytes / GIB))
    fit = [disk for disk in audit.storage if disk.kind == "nvme" and disk.free_bytes >= 2 * size * GIB]
    if fit:
        path = f"{fit[0].mount.rstrip('/')}/swap.img"
        commands = (
            f"fallocate -l {size}G {path} && chmod 600 {path} && mkswap {path} && swapon {path}, and a line in fstab"
        )
        told = f"idle programs could lie on NVMe; weights and GPU memory are not swapped: {commands}"
        yield Advice(name="swap_file", bytes=0, words=told)
    elif any(disk.kind in _WORN for disk in audit.storage):
        yield Advice(name="swap_file", bytes=0, words="no swap file on a card, eMMC or stick: writing wears it out")


def _engine(audit: Audit) -> Iterator[Advice]:
    """How to start an engine, which is nobody's setting but its own."""
    told = "an engine that no service runs: start it so that the kernel kills others first: "
    told += "sudo systemd-run -p OOMScoreAdjust=-500 COMMAND"
    yield Advice(name="oom_policy", bytes=0, words=told)
    told = (
        "an engine that no service runs: as many threads as cores and no more (--threads, OMP_NUM_THREADS; systemd-run "
        "-p AllowedCPUs=0-3 keeps some free), and MALLOC_ARENA_MAX=2: every thread has a stack, and glibc an arena for "
        "most"
    )
    yield Advice(name="threads", bytes=0, words=told)


def _held(audit: Audit, rows: Iterable[ProcessRow]) -> int:
    rows = tuple(rows)
    pids = {row.pid for row in rows}
    share = sum(row.rss_bytes if row.pss_bytes is None else row.pss_bytes for row in rows)
    return share + sum(client.bytes for client in audit.nvmap if client.pid in pids)


def _names(rows: Iterable[ProcessRow]) -> str:
    names = list(dict.fromkeys(row.name for row in rows))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
