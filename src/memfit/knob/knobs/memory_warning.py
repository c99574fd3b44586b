"""Mask the warning on the desktop: no warning on the desktop when memory is short."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nvmemwarning.service",
    summary="mask the warning on the desktop",
    cost="no warning on the desktop when memory is short",
    spares=frozenset({"display"}),
    aliases=("nvmemwarning",),
)
