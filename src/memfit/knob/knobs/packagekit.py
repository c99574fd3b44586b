"""Mask the software centre's service: no software centre."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "packagekit-offline-update.service",
    "packagekit.service",
    summary="mask the software centre's service",
    cost="no software centre; apt works on",
    spares=frozenset({"updates"}),
)
