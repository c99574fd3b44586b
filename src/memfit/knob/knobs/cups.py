"""Mask the print server: no printing."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "cups.socket",
    "cups.path",
    "cups-browsed.service",
    "cups.service",
    "snap.cups.cupsd.service",
    "snap.cups.cups-browsed.service",
    summary="mask the print server",
    cost="no printing",
    spares=frozenset({"printing"}),
    aliases=("printing", "cupsd"),
)
