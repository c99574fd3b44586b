"""Units of systemd as their files tell, on a running machine and in an image alike."""

from __future__ import annotations

import msgspec

from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host

SYSTEM = "/etc/systemd/system"
# in the order systemd reads them (systemd.unit(5)); generated units are in /run
FOLDERS = (
    SYSTEM,
    "/run/systemd/system",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


class UnitFile(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that is installed.

    Attributes:
        masked: by a link to ``/dev/null`` in ``/etc``.
        own: somebody's own file stands in ``/etc``, so that no link can mask it.
        generated: made at boot from something else, such as a script of System V.
    """

    name: str
    masked: bool = False
    own: bool = False
    generated: bool = False


def unit_paths(units: tuple[str, ...]) -> tuple[str, ...]:
    """What ``find_units`` reads."""
    return tuple(f"{folder}/{unit}" for unit in units for folder in FOLDERS)


def find_units(host: Host, units: tuple[str, ...]) -> tuple[UnitFile, ...]:
    """Those of ``units`` that are installed; a name that is only a link to another unit counts as that one, once."""
    found: dict[str, UnitFile] = {}
    for unit in units:
        one = _find(host, unit)
        if one is not None:
            found.setdefault(one.name, one)
    return tuple(found.values())


def _find(host: Host, unit: str, followed: int = 0) -> UnitFile | None:
    etc = f"{SYSTEM}/{unit}"
    target = read_link(host, etc)
    if target == "/dev/null":
        return UnitFile(name=unit, masked=True)
    for folder in FOLDERS:
        target = read_link(host, f"{folder}/{unit}")
        name = (target or "").rpartition("/")[2]
        if name and name != unit and followed < 8:  # an alias: gdm.service → gdm3.service
            return _find(host, name, followed + 1)
        if target is not None or is_file(host, f"{folder}/{unit}"):
            generated = folder.startswith("/run/systemd/generator")
            return UnitFile(name=unit, own=folder == SYSTEM and target is None, generated=generated)
    return None


def read_link(host: Host, path: str) -> str | None:
    """Where a link leads, as written; None where there is none."""
    try:
        return host.read_link(path)
    except ProbeError:
        return None


def is_file(host: Host, path: str) -> bool:
    """Whether a file is there that can be read, or that only root may read."""
    try:
        host.read_bytes(path, most=1)
    except NeedsRoot:
        return True
    except ProbeError:
        return False
    return True
