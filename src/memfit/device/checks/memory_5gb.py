"""Less than 5 GB available: switch the desktop off."""

from __future__ import annotations

from memfit.device.checks._available import judge_available, without_desktop
from memfit.device.checks._item import Answer, Findings, Item

_NEEDED_BYTES = 5 * 10**9


def _judge(findings: Findings) -> Answer:
    return judge_available(findings, _NEEDED_BYTES, without_desktop(findings.audit))


CHECK = Item(
    asks="Are 5 GB available?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
