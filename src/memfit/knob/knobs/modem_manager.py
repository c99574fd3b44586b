"""Mask the manager of modems: no mobile broadband."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "ModemManager.service",
    summary="mask the manager of modems",
    cost="no mobile broadband",
    aliases=("modemmanager",),
)
