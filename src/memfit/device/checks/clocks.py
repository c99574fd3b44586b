"""Clocks held at their highest, as jetson_clocks does."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown

_MOST_NAMED = 3


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    ranged = [clock for clock in findings.audit.clocks if clock.high_hz]
    if not ranged:
        return unknown("no clock could be read")
    # jetson_clocks raises the lower bound to the upper one: a clock that only happens to be high is not held
    loose = [clock for clock in ranged if clock.low_hz is None or clock.low_hz < (clock.high_hz or 0)]
    if not loose:
        return passed(f"{len(ranged)} clocks are held at their highest")
    named = ", ".join(f"{clock.name} from {(clock.low_hz or 0) / 1e6:.0f} MHz" for clock in loose[:_MOST_NAMED])
    more = f" and {len(loose) - _MOST_NAMED} more" if len(loose) > _MOST_NAMED else ""
    return failed(f"clocks may fall: {named}{more}", "sudo jetson_clocks  # until the next boot")


CHECK = Item(
    asks="Are the clocks held at their highest?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
