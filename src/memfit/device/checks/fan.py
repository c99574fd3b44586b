"""Active cooling for sustained work."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, passed, unknown

_FULL = 255


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if findings.fans is None:
        return unknown("nothing runs here")
    if not findings.fans:
        return unknown("the kernel drives no fan; a fan on its own supply, or a large heat sink, cannot be seen")
    speeds = [f"{fan.rpm} rpm" for fan in findings.fans if fan.rpm]
    duties = [f"driven at {100 * fan.duty / _FULL:.0f} %" for fan in findings.fans if fan.duty]
    if not speeds and not duties:
        return passed(f"{findings.fans[0].name} stands still now; it starts when the board warms up")
    return passed(", ".join((*duties, *speeds)))


CHECK = Item(
    asks="Is there active cooling?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
