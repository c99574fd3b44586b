"""Mask the sound servers, those of users too: no sound, not over HDMI, USB or Bluetooth either."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._held import gain_of
from memfit.knob._knob import Knob
from memfit.knob._services import masked
from memfit.knob._units import USER, USER_FOLDERS, UnitFile, find_units, unit_paths
from memfit.knob.changes import Change, LinkChange
from memfit.knob.records import Effect, Gain, not_here

_SUMMARY = "mask the sound servers"
# sockets first: they start the servers
_OF_USERS = (
    "pulseaudio.socket",
    "pipewire-pulse.socket",
    "pipewire.socket",
    "pulseaudio.service",
    "pipewire-pulse.service",
    "wireplumber.service",
    "pipewire-media-session.service",
    "pipewire.service",
)
# PulseAudio for the whole system, who gives it priority, and who keeps the mixer's state
_OF_SYSTEM = ("pulseaudio.service", "rtkit-daemon.service", "alsa-state.service")


class Audio(msgspec.Struct, frozen=True, kw_only=True):
    """The sound servers of one machine.

    Attributes:
        of_users: units of the systemd that every user has. of_system: of the machine's own.
        gain: what they hold.
        in_sessions: users' servers run now; nobody but their users' systemd may stop them.
    """

    of_users: tuple[UnitFile, ...]
    of_system: tuple[UnitFile, ...]
    gain: Gain
    in_sessions: bool


def read(host: Host, audit: Audit) -> Audio | None:
    """None where no sound server is installed."""
    of_users, of_system = find_units(host, _OF_USERS, USER_FOLDERS), find_units(host, _OF_SYSTEM)
    if not of_users and not of_system:
        return None
    rows = [row for row in audit.processes if row.role == "audio"]
    in_sessions = any(row.kind != "service" for row in rows)
    return Audio(of_users=of_users, of_system=of_system, gain=gain_of(audit, rows), in_sessions=in_sessions)


def effect(state: Audio) -> Effect:
    """Users' servers end with their session, so a boot is what surely ends them."""
    if not change(state):
        return not_here("masked already")
    return Effect(
        applies=True,
        gain=state.gain,
        when="reboot" if state.in_sessions else "live",
        cost="no sound, not over HDMI, USB or Bluetooth either; no sharing of a Wayland screen",
    )


def change(state: Audio) -> tuple[Change, ...]:
    """Links to ``/dev/null`` in both folders; the system's own units are stopped as well."""
    open_ = [unit for unit in state.of_users if not (unit.masked or unit.own)]
    links = [LinkChange(path=f"{USER}/{unit.name}", target="/dev/null", why=_SUMMARY) for unit in open_]
    return (*links, *masked(state.of_system, _SUMMARY))


KNOB = Knob(
    summary=_SUMMARY,
    layer="user",
    spares=frozenset({"audio"}),
    paths=(*unit_paths(_OF_USERS, USER_FOLDERS), *unit_paths(_OF_SYSTEM)),
    read=read,
    effect=effect,
    change=change,
    aliases=("sound", "pulseaudio", "pipewire"),
)
