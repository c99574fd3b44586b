"""No desktop on a device that serves models."""

from __future__ import annotations

from memfit.device.checks._available import HEADLESS
from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown
from memfit.units import format_bytes


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not findings.audit.processes:
        return unknown("no processes could be seen")
    reclaim = next((reclaim for reclaim in findings.audit.reclaims if reclaim.name == "desktop"), None)
    if reclaim is None:
        return passed("no display manager and no graphical session runs")
    return failed(
        f"{format_bytes(reclaim.low_bytes)} to {format_bytes(reclaim.high_bytes)}: {reclaim.evidence}",
        HEADLESS,
    )


CHECK = Item(
    asks="Does it run without a desktop?",
    judge=_judge,
    source="Maximizing Memory Efficiency … on NVIDIA Jetson, table 1; LLM Optimization on Jetson",
)
