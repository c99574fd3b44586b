"""Boot without the desktop and stop it now: no local display, whoever is logged in there is logged out."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit, ProcessRow
from memfit.device.control_groups import find_owner
from memfit.device.process_table import parse_stat
from memfit.device.reading import read_text
from memfit.host import Host
from memfit.knob._held import gain_of
from memfit.knob._knob import Knob
from memfit.knob._units import FOLDERS, SYSTEM, find_units, is_file, read_link, unit_paths
from memfit.knob.changes import Change, LinkChange, UnitChange
from memfit.knob.records import Effect, Gain, not_here

_SUMMARY = "boot without the desktop, and stop it now"
_DEFAULT, _TEXT = "default.target", "multi-user.target"
# one unit may go by three of these names; ``find_units`` counts it once
_MANAGERS = tuple(
    f"{name}.service"
    for name in ("display-manager", "gdm3", "gdm", "lightdm", "sddm", "lxdm", "xdm", "slim", "greetd", "nodm")
)
_GRAPHICAL = ("graphical.target", "runlevel5.target")
_REMOTE = re.compile(
    r"xrdp.*|Xvnc|Xtigervnc|x11vnc|x0vncserver|vino-server|gnome-remote-de.*|krfb|wayvnc|nx(?:server|node|d)\b.*"
    r"|anydesk|teamviewerd?|rustdesk"
)
# who started memfit from here does not depend on the screen
_NOT_THE_SCREEN = re.compile(r"sshd.*|dropbear|login|mosh-server|tmux.*|screen|SCREEN")
_MOST_ANCESTORS = 64
_COST = (
    "no local display; whoever is logged in at the screen is logged out, what is not saved there is lost, and a Wi-Fi "
    "that is kept for that user alone goes down"
)


class Desktop(msgspec.Struct, frozen=True, kw_only=True):
    """The desktop of one machine.

    Attributes:
        target: what the default target leads to now; empty where a file stands there.
        text_target: where multi-user.target is; None where it is nowhere.
        managers: units of display managers that may be stopped.
        gain: what its processes hold. running: whether there are any.
        remotes: programs that show this desktop elsewhere.
        inside: memfit itself runs in a terminal of it.
    """

    target: str
    text_target: str | None
    managers: tuple[str, ...]
    gain: Gain
    running: bool
    remotes: tuple[str, ...] = ()
    inside: bool = False


def read(host: Host, audit: Audit) -> Desktop | None:
    """None where no display manager is installed and nothing of a desktop runs."""
    managers = tuple(unit.name for unit in find_units(host, _MANAGERS) if not unit.masked)
    rows = tuple(row for row in audit.processes if _ends_with_it(row))
    if not managers and not rows:
        return None
    remotes = tuple(sorted({row.name for row in audit.processes if _REMOTE.fullmatch(row.name.partition(" ")[0])}))
    gain = gain_of(audit, rows)
    return Desktop(
        target=_target(host),
        text_target=_text_target(host),
        managers=managers,
        # a desktop of xrdp has a server of its own, which its sessions alone do not tell apart from the screen's
        gain=msgspec.structs.replace(gain, low_bytes=0) if remotes else gain,
        running=bool(rows),
        remotes=remotes,
        inside=bool(rows) and _is_inside(host),
    )


def effect(state: Desktop) -> Effect:
    """A desktop that memfit runs in is only kept from starting again."""
    starts = state.target != _TEXT
    if starts and state.target not in _GRAPHICAL:
        return not_here(f"the default target is {state.target or 'a file'}, which is somebody's own")
    if starts and state.text_target is None:
        return not_here(f"there is no {_TEXT} to boot into")
    stops = state.running and not state.inside and bool(state.managers)
    if not starts and not stops:
        return not_here(
            "memfit runs in it: stop it from SSH or a text console" if state.inside else "no desktop starts by itself"
        )
    gain = state.gain
    if state.inside:
        said = "memfit runs in it, and to stop it now would end this terminal: it stays until the next boot"
        gain = msgspec.structs.replace(gain, evidence=f"{gain.evidence}; {said}")
    remote = f"; remote desktops ({', '.join(state.remotes)}) have no screen to show" if state.remotes else ""
    return Effect(applies=True, gain=gain, when="live" if stops else "reboot", cost=_COST + remote, risk="low")


def change(state: Desktop) -> tuple[Change, ...]:
    """The link that ``systemctl set-default`` makes; then the display manager's end."""
    changes: list[Change] = []
    if state.target != _TEXT and state.text_target is not None:
        changes.append(LinkChange(path=f"{SYSTEM}/{_DEFAULT}", target=state.text_target, why=_SUMMARY))
    if state.running and not state.inside:
        changes += [UnitChange(unit=unit, active=False, why=_SUMMARY) for unit in state.managers]
    return tuple(changes)


def _ends_with_it(row: ProcessRow) -> bool:
    """Sessions at the screen end with the display manager; a service that draws by itself does not."""
    return row.role == "desktop" and (row.kind != "service" or row.unit in _MANAGERS)


def _target(host: Host) -> str:
    for folder in FOLDERS:
        leads_to = read_link(host, f"{folder}/{_DEFAULT}")
        if leads_to is not None:
            return leads_to.rpartition("/")[2]
        if is_file(host, f"{folder}/{_DEFAULT}"):
            return ""
    return "graphical.target"  # what systemd is built with where nobody chose (systemd.special(7))


def _text_target(host: Host) -> str | None:
    """Where the distribution's other targets are: ``/lib`` on Ubuntu 22.04, ``/usr/lib`` where there is no ``/lib``."""
    chosen = (read_link(host, f"{SYSTEM}/{_DEFAULT}") or "").rpartition("/")[0]
    for folder in (chosen, "/usr/lib/systemd/system", "/lib/systemd/system"):
        if folder.startswith("/") and (is_file(host, f"{folder}/{_TEXT}") or read_link(host, f"{folder}/{_TEXT}")):
            return f"{folder}/{_TEXT}"
    return None


def _is_inside(host: Host) -> bool:
    """Whether this process is somebody's at the screen: in a session, and not by way of SSH or a text console."""
    if host.door != "local" or find_owner(read_text(host, "/proc/self/cgroup", most=1 << 14) or "").kind != "session":
        return False
    at = "self"
    for _ in range(_MOST_ANCESTORS):
        stat = parse_stat(read_text(host, f"/proc/{at}/stat", most=4096) or "")
        if stat is not None and _NOT_THE_SCREEN.fullmatch(stat.name):
            return False
        if stat is None or stat.parent <= 1:
            break
        at = str(stat.parent)
    return True


KNOB = Knob(
    summary=_SUMMARY,
    layer="user",
    spares=frozenset({"display"}),
    paths=unit_paths((_DEFAULT, _TEXT, *_MANAGERS)),
    read=read,
    effect=effect,
    change=change,
    aliases=("gui", "headless", "display_manager", "gdm"),
)
