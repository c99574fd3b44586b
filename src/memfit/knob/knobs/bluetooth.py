"""Mask Bluetooth: no Bluetooth."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "bluetooth.service",
    summary="mask Bluetooth",
    cost="no Bluetooth",
    spares=frozenset({"bluetooth"}),
    aliases=("bluez",),
)
