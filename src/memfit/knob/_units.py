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
USER = "/etc/systemd/user"
# those of the systemd that every user has; a user's own in ~/.config come before all of them
USER_FOLDERS = (
    USER,
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
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


def unit_paths(units: tuple[str, ...], folders: tuple[str, ...] = FOLDERS) -> tuple[str, ...]:
    """What ``find_units`` reads."""
    return tuple(f"{folder}/{unit}" for unit in units for folder in folders)


def find_units(host: Host, units: tuple[str, ...], folders: tuple[str, ...] = FOLDERS) -> tuple[UnitFile, ...]:
    """Those of ``units`` that are installed; a name that is only a link to another unit counts as that one, once.

    ``folders`` are those of the system or of users, the one of ``/etc`` first.
    """
    found: dict[str, UnitFile] = {}
    for unit in units:
        one = _find(host, unit, folders)
        if one is not None:
            found.setdefault(one.name, one)
    return tuple(found.values())


def _find(host: Host, unit: str, folders: tuple[str, ...], followed: int = 0) -> UnitFile | None:
    etc = folders[0]
    target = read_link(host, f"{etc}/{unit}")
    if target == "/dev/null":
        return UnitFile(name=unit, masked=True)
    for folder in folders:
        target = read_link(host, f"{folder}/{unit}")
        name = (target or "").rpartition("/")[2]
        if name and name != unit and followed < 8:  # an alias: gdm.service → gdm3.service
            return _find(host, name, folders, followed + 1)
        if target is not None or is_file(host, f"{folder}/{unit}"):
            generated = folder.startswith("/run/systemd/generator")
            return UnitFile(name=unit, own=folder == etc and target is None, generated=generated)
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
