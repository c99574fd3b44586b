"""Room below the temperature at which clocks are cut."""

from __future__ import annotations

from memfit.device.checks._item import Answer, Findings, Item, failed, passed, unknown

_MARGIN_C = 5.0


def _judge(findings: Findings) -> Answer:
    zones = [zone for zone in findings.audit.zones if zone.trip_c is not None]
    if not zones:
        return unknown("no thermal zone with a trip point could be read")
    nearest = min(zones, key=lambda zone: (zone.trip_c or 0.0) - zone.now_c)
    left = (nearest.trip_c or 0.0) - nearest.now_c
    stands = f"{nearest.name} has {nearest.now_c:.1f} °C, {left:.0f} °C below its trip point"
    if left >= _MARGIN_C:
        return passed(stands)
    if left < 0:
        stands = f"{nearest.name} has {nearest.now_c:.1f} °C, over its trip point of {nearest.trip_c:.0f} °C"
    return failed(
        f"{stands}: clocks are or will be cut",
        "# look at fan and heat sink, or choose a lower power mode: sudo nvpmodel -p --verbose",
    )


CHECK = Item(
    asks="Is there room below the temperature at which clocks are cut?",
    judge=_judge,
    source="thermal zones of the device; a margin of 5 °C is this list's own",
)
