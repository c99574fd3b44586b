"""Ambient below 35 °C for sustained work; nothing on a board measures it, so it can only be bounded."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, passed, unknown

_MOST_C = 35.0


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    zones = findings.audit.zones
    if not zones:
        return unknown("no temperature could be read")
    coolest = min(zones, key=lambda zone: zone.now_c)
    if coolest.now_c < _MOST_C:
        return passed(f"{coolest.name} has {coolest.now_c:.1f} °C, and no part is cooler than the air around it")
    return unknown(f"no sensor measures it; the coolest part, {coolest.name}, has {coolest.now_c:.1f} °C")


CHECK = Item(
    asks="Is it cooler than 35 °C around the board?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
