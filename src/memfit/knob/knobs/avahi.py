"""Mask the announcer of names: the device is no longer found as NAME.local."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "avahi-daemon.socket",
    "avahi-daemon.service",
    summary="mask the announcer of names",
    cost="the device is no longer found as NAME.local",
    aliases=("avahi_daemon", "mdns"),
)
