"""Mask the reporters of crashes: crashes are not reported."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "apport.service",
    "apport-autoreport.path",
    "apport-autoreport.timer",
    "apport-autoreport.service",
    "kerneloops.service",
    "whoopsie.path",
    "whoopsie.service",
    summary="mask the reporters of crashes",
    cost="crashes are not reported",
    aliases=("kerneloops", "apport", "whoopsie"),
)
