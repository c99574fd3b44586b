"""Power modes of a Jetson: what ``nvpmodel`` offers, which one is set, which one it boots with.

Ids mean different things on different boards, so a mode is its name.
"""

from __future__ import annotations

import re

from memfit.device.audit_records import Power, PowerMode
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

CONFIGURATION = "/etc/nvpmodel.conf"
# where the link of /etc points to; a link with an absolute target leads out of an unpacked image
_TABLES = "/etc/nvpmodel/nvpmodel*.conf"
STATUS = "/var/lib/nvpmodel/status"
PATHS = (CONFIGURATION, _TABLES, STATUS)
_MOST = 1 << 20
# "< POWER_MODEL ID=1 NAME=25W >": some files have no space behind the bracket, some name before id
_SECTION = re.compile(r"^[ \t]*<[ \t]*(POWER_MODEL|PM_CONFIG)\b([^>\n]*)>?", re.MULTILINE)
_ID = re.compile(r"\bID=([0-9]{1,4})\b", re.ASCII)
_NAME = re.compile(r"\bNAME=([^\s>]+)")
_DEFAULT = re.compile(r"\bDEFAULT=([0-9]{1,4})\b", re.ASCII)
_SET = re.compile(r"\bpmode:([0-9]{1,4})\b", re.ASCII)


def read_power(host: Host) -> Power | None:
    """Modes by name with the one that is set; None on a machine without nvpmodel.

    The status file keeps the mode that was last asked for: one that changes the number of cores is in force only after
    a reboot. Without that file the default is in force, and ``mode`` is that.
    """
    text = read_text(host, CONFIGURATION, most=_MOST)
    if text is None:
        target = _target(host)
        text = None if target is None else read_text(host, target, most=_MOST)
    if text is None:
        return None
    modes, default = parse_modes(text)
    now = parse_status(read_text(host, STATUS) or "")
    if now is None:
        now = default
    return Power(mode=next((mode for mode in modes if mode.id == now), None), modes=modes, default_id=default)


def parse_modes(text: str) -> tuple[tuple[PowerMode, ...], int | None]:
    """Modes in the order of their ids, and the id of the default."""
    modes: dict[int, PowerMode] = {}
    default = None
    for section in _SECTION.finditer(text):
        number, name, preset = _ID.search(section[2]), _NAME.search(section[2]), _DEFAULT.search(section[2])
        if section[1] == "PM_CONFIG":
            default = int(preset[1]) if preset else default
        elif number and name:
            modes[int(number[1])] = PowerMode(id=int(number[1]), name=name[1])
    return tuple(modes[number] for number in sorted(modes)), default


def parse_status(text: str) -> int | None:
    """``pmode:0002`` as 2."""
    found = _SET.search(text)
    return int(found[1]) if found else None


def _target(host: Host) -> str | None:
    try:
        return host.read_link(CONFIGURATION)
    except ProbeError:
        found = host.glob(_TABLES)
        return found[0] if len(found) == 1 else None
