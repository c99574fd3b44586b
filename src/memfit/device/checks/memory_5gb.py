"""Less than 5 GB available: switch the desktop off."""

from __future__ import annotations

from memfit.device.checks._available import judge_available
from memfit.device.checks._item import Answer, Findings, Item

_NEEDED_BYTES = 5 * 10**9
_HEADLESS = "sudo systemctl set-default multi-user.target && sudo systemctl isolate multi-user.target"


def _judge(findings: Findings) -> Answer:
    desktop = any(row.role == "desktop" for row in findings.audit.processes)
    return judge_available(findings, _NEEDED_BYTES, _HEADLESS if desktop else None)


CHECK = Item(
    asks="Are 5 GB available?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
