"""Cap the journal that lies in memory: older lines go sooner; a journal on disk stays as it is."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.knob._asked import size_of
from memfit.knob._knob import Knob
from memfit.knob._units import find_units, unit_paths
from memfit.knob.changes import Change, FileChange
from memfit.knob.records import Effect, Gain, Wish, not_here
from memfit.units import MIB, format_bytes

_UNIT = "systemd-journald.service"
_OURS = "/etc/systemd/journald.conf.d/60-memfit.conf"
_TAKES = "a size, such as 4MiB"
_HEAD = "# memfit wrote this file; memfit undo takes it back\n"
_LEAST_MIB = 1
_CAP_MIB = 8
"""A day of a quiet machine; journald makes files of an eighth of it, 512 KiB at least (journald.conf(5))."""
_STEP_BYTES = 8 * MIB
"""A journal file grows by this much: FILE_SIZE_INCREASE, src/libsystemd/sd-journal/journal-file.c (249, 255)."""
_IN_MEMORY, _ON_DISK = "/run/log/journal", "/var/log/journal"
# journald reads them in the order of their names, whatever their folder, after the one file
_FOLDERS = ("/etc/systemd/journald.conf.d", "/run/systemd/journald.conf.d", "/usr/lib/systemd/journald.conf.d")
_SETTING = re.compile(r"^\s*(Storage|RuntimeMaxUse)\s*=\s*(\S*)", re.M)
# struct Header of journal-def.h: both sizes are little-endian and 8 bytes; together they are the file
_HEADER_AT, _ARENA_AT, _HEADER_BYTES, _MAGIC = 88, 96, 104, b"LPKSHHRH"


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """The journal of one machine.

    Attributes:
        storage: ``memory``, ``disk``, ``none``.
        cap: who set one already, as written; empty where nobody did.
        low_bytes, likely_bytes, high_bytes: what it holds in memory now.
        evidence: how that is known.
        cap_mib: the cap that it shall have. asked: somebody asks for it.
    """

    storage: str
    cap: str = ""
    low_bytes: int = 0
    likely_bytes: int = 0
    high_bytes: int = 0
    evidence: str = ""
    cap_mib: int = _CAP_MIB
    asked: bool = False


def read(host: Host, audit: Audit) -> Journal | None:
    """None without systemd's journal."""
    if not find_units(host, (_UNIT,)):
        return None
    settings = _settings(host)
    storage = settings.get("Storage", "auto").lower() or "auto"
    if storage == "auto":
        storage = "persistent" if host.glob(_ON_DISK) else "volatile"
    kinds = {"volatile": "memory", "persistent": "disk"}
    found = Journal(storage=kinds.get(storage, "none"), cap=settings.get("RuntimeMaxUse", ""))
    if found.storage != "memory" or not host.live:
        return found
    low, likely, high, evidence = _held(host)
    return msgspec.structs.replace(found, low_bytes=low, likely_bytes=likely, high_bytes=high, evidence=evidence)


def effect(state: Journal) -> Effect:
    """After the next boot: journald reads its settings at its start, and nothing here stops it or throws lines away."""
    if state.storage != "memory":
        return not_here("the journal is on disk" if state.storage == "disk" else "no journal is kept")
    if state.cap:
        return not_here(f"it has a cap: RuntimeMaxUse={state.cap}")
    low, likely, high = (
        max(0, held - state.cap_mib * MIB) for held in (state.low_bytes, state.likely_bytes, state.high_bytes)
    )
    return Effect(
        applies=True,
        gain=Gain(low_bytes=low, likely_bytes=likely, high_bytes=high, evidence=state.evidence),
        when="reboot",
        cost=f"the journal keeps {state.cap_mib} MiB, and older lines go sooner",
        saves=likely > 0,
    )


def change(state: Journal) -> tuple[Change, ...]:
    """A drop-in of memfit's own."""
    content = f"{_HEAD}[Journal]\nRuntimeMaxUse={state.cap_mib}M\n"
    return (FileChange(path=_OURS, content=content.encode(), why="cap the journal in memory"),)


def at(state: Journal, wish: Wish) -> Journal:
    """With the cap that somebody asks for, in whole MiB."""
    size = size_of("journald", wish.value, _TAKES, least_bytes=_LEAST_MIB * MIB)
    return msgspec.structs.replace(state, cap_mib=size // MIB, asked=True)


def _settings(host: Host) -> dict[str, str]:
    files = sorted((path for folder in _FOLDERS for path in host.glob(f"{folder}/*.conf")), key=_name)
    found: dict[str, str] = {}
    for path in ("/etc/systemd/journald.conf", *files):
        found.update(_SETTING.findall(read_text(host, path) or ""))
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _held(host: Host) -> tuple[int, int, int, str]:
    """What its files take: as they say themselves, else between nothing and all that lies in ``/run``."""
    files = host.glob(f"{_IN_MEMORY}/*/*.journal*")
    sizes = [_size(host, path) for path in files]
    known = [size for size in sizes if size is not None]
    if len(known) == len(files):
        return sum(known), sum(known), sum(known), f"{_IN_MEMORY}: {format_bytes(sum(known))} in {len(files)} files"
    try:
        disk = host.disk("/run")
    except ProbeError:
        return 0, 0, 0, f"{_IN_MEMORY}: {len(files)} files, whose sizes only root may read"
    most = disk.total_bytes - disk.free_bytes
    return 0, min(most, len(files) * _STEP_BYTES), most, f"{len(files)} files; all of /run is {format_bytes(most)}"


def _size(host: Host, path: str) -> int | None:
    try:
        head = host.read_bytes(path, most=_HEADER_BYTES)
    except ProbeError:  # only root may read it, or it is no part of what was fetched
        return None
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        return None
    return sum(int.from_bytes(head[at : at + 8], "little") for at in (_HEADER_AT, _ARENA_AT))


KNOB = Knob(
    summary="cap the journal that lies in memory",
    layer="user",
    # names of its files are fetched and never what they hold
    paths=(
        *unit_paths((_UNIT,)),
        "/etc/systemd/journald.conf",
        *(f"{folder}/*.conf" for folder in _FOLDERS),
        _ON_DISK,
        _IN_MEMORY,
        f"{_IN_MEMORY}/*",
    ),
    read=read,
    effect=effect,
    change=change,
    takes=_TAKES,
    at=at,
    aliases=("journal", "systemd_journald"),
)
