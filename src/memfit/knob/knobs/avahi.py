"""Mask the announcer of names: the device is no longer found as NAME.local, and finds no printer by itself."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "avahi-daemon.socket",
    "avahi-daemon.service",
    summary="mask the announcer of names",
    cost="the device is no longer found as NAME.local, and finds no printer in the network",
    spares=frozenset({"printing"}),  # CUPS finds printers without drivers of their own by it
    aliases=("avahi_daemon", "mdns"),
)
