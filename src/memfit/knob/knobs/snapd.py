"""Mask snapd: no snap is installed or updated."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "snapd.socket",
    "snapd.service",
    "snapd.apparmor.service",
    "snapd.seeded.service",
    "snapd.snap-repair.timer",
    summary="mask snapd",
    cost="no snap is installed or updated; those installed still run",
    spares=frozenset({"updates"}),
)
