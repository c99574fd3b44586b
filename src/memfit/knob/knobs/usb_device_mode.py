"""Mask networking over the USB device port: no 192.168.55.1 over USB."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nv-l4t-usb-device-mode.service",
    "nv-l4t-usb-device-mode-runtime.service",
    summary="mask networking over the USB device port",
    cost="no 192.168.55.1 over USB: keep it where that is the way in",
    spares=frozenset({"usb-network"}),
    aliases=("nv_l4t_usb_device_mode", "usb_network"),
)
