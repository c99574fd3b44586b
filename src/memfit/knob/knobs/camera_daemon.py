"""Mask the daemon of CSI cameras: no CSI camera through Argus or nvarguscamerasrc."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nvargus-daemon.service",
    summary="mask the daemon of CSI cameras",
    cost="no CSI camera through Argus or nvarguscamerasrc",
    spares=frozenset({"camera"}),
    aliases=("nvargus_daemon", "argus"),
)
