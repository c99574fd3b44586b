"""Less than 4 GB available: stop services that nobody needs."""

from __future__ import annotations

from memfit.device.checks._available import judge_available, without_services
from memfit.device.checks._item import Answer, Findings, Item

_NEEDED_BYTES = 4 * 10**9


def _judge(findings: Findings) -> Answer:
    return judge_available(findings, _NEEDED_BYTES, without_services(findings.audit))


CHECK = Item(
    asks="Are 4 GB available?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
