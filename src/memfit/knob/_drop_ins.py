"""Drop-ins of services: one file a unit, which several knobs share.

What they set is gathered first (``combine.py``), as values of the kernel are (``_sysctl.py``): a line that is there
already stays, unless one that sets the same takes its place.

systemd reads drop-ins of all folders together, in the order of their own names; of those of one name the first folder's
alone. Those of the template, of names that begin alike (``llama-.service.d``) and of all services are among them
(systemd.unit(5)).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from memfit.agent.denied import UNIT_FOLDERS
from memfit.errors import ApplyError, ProbeError
from memfit.host import Host
from memfit.knob._units import SYSTEM
from memfit.knob.changes import Change, FileChange
from memfit.knob.records import Lines

_NAME = "60-memfit.conf"
_ALL = "service"
"""Whose drop-ins every service has."""
PATHS = (
    f"{SYSTEM}/*.service.d",
    *(f"{folder}/{whose}.d/*.conf" for folder in UNIT_FOLDERS for whose in ("*.service", _ALL)),
)
_HEAD = "# memfit wrote this file; memfit undo takes it back\n[Service]\n"
_QUOTES = "\"'"
_WHY = "how this service is started"


def drop_in(unit: str) -> str:
    """The path of memfit's own."""
    return f"{SYSTEM}/{unit}.d/{_NAME}"


def names_of(unit: str) -> tuple[str, ...]:
    """All names whose drop-ins a service has: its own, its template's, those that it begins with."""
    stem = unit.removesuffix(".service")
    before, at, _ = stem.partition("@")
    parts = stem.split("-")
    begun = ["-".join(parts[:count]) + "-.service" for count in range(len(parts) - 1, 0, -1)]
    return (unit, *((f"{before}@.service",) if at else ()), *begun, _ALL)


def drop_ins(host: Host) -> dict[str, tuple[str, ...]]:
    """All that count, by whose they are, in the order in which they are read."""
    found: dict[str, dict[str, str]] = {}
    for folder in UNIT_FOLDERS:
        for whose in ("*.service", _ALL):
            for path in host.glob(f"{folder}/{whose}.d/*.conf"):
                above, _, name = path.rpartition("/")
                found.setdefault(above.rpartition("/")[2].removesuffix(".d"), {}).setdefault(name, path)
    return {whose: tuple(paths[name] for name in sorted(paths)) for whose, paths in found.items()}


def drop_ins_of(found: Mapping[str, Sequence[str]], unit: str) -> list[str]:
    """Those of one service, in the order in which they are read."""
    paths = [path for name in names_of(unit) for path in found.get(name, ())]
    return sorted(paths, key=lambda path: path.rpartition("/")[2])


def read_lines(host: Host, unit: str) -> dict[str, tuple[str, ...]]:
    """What memfit's own drop-in of a unit sets, by what it sets; empty where there is none."""
    return _by_key(_text(host, drop_in(unit)) or "")


def overruled(host: Host, keys: Collection[str]) -> dict[str, str]:
    """Why memfit's own drop-in would not count, by whose: another is read behind it and sets one of ``keys``."""
    found = {}
    for whose, paths in drop_ins(host).items():
        for path in (path for path in paths if path.rpartition("/")[2] > _NAME):
            others = sorted(_by_key(_text(host, path) or "").keys() & set(keys))
            if others:
                found[whose] = f"{path} is read later and sets {others[0]}: change it there"
    return found


def overruling(found: Mapping[str, str], unit: str) -> str:
    """What ``overruled`` found for one service; empty where nothing is in the way."""
    return next((found[name] for name in names_of(unit) if name in found), "")


def drop_in_changes(host: Host, wanted: Sequence[Lines]) -> tuple[Change, ...]:
    """One change for each unit.

    Args:
        host: whose files they are; what stands there from before is kept.
        wanted: what each knob sets.

    Raises:
        ApplyError: a file of that name is not memfit's.
    """
    units: dict[str, dict[str, tuple[str, ...]]] = {}
    for lines in wanted:
        for unit, of_unit in lines.items():
            units.setdefault(unit, {}).update(of_unit)
    return tuple(_file(host, unit, lines) for unit, lines in sorted(units.items()))


def _file(host: Host, unit: str, lines: Mapping[str, tuple[str, ...]]) -> FileChange:
    before = _text(host, drop_in(unit))
    if before is not None and not before.startswith(_HEAD):
        raise ApplyError(f"{drop_in(unit)}: somebody else wrote it", hint="give it another name, or remove it")
    together = {**_by_key(before or ""), **lines}
    body = "".join(f"{line}\n" for _, of_key in sorted(together.items()) for line in of_key)
    return FileChange(
        path=drop_in(unit),
        content=(_HEAD + body).encode("utf-8", "surrogateescape"),
        expects=None if before is None else hashlib.sha256(before.encode("utf-8", "surrogateescape")).hexdigest(),
        why=_WHY,
    )


def _by_key(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith(("#", ";", "[")):
            key, value = (part.strip() for part in line.partition("=")[::2])
            name = f"{key} {value.partition('=')[0].strip(_QUOTES)}" if key == "Environment" else key
            found[name] = (*found.get(name, ()), line)
    return found


def _text(host: Host, path: str) -> str | None:
    try:
        return host.read_bytes(path).decode("utf-8", "surrogateescape")
    except ProbeError:
        return None
