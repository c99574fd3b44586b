"""Mask the daemon of colour profiles: no colour profiles."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "colord.service",
    summary="mask the daemon of colour profiles",
    cost="no colour profiles",
    spares=frozenset({"display", "printing"}),
)
