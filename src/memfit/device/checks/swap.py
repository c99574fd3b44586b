"""Swap, so that idle anonymous memory can make room; pinned GPU memory never can."""

from __future__ import annotations

from memfit.device.checks._item import Answer, Findings, Item, failed, not_applicable, passed
from memfit.units import format_bytes

_FILE = "sudo fallocate -l 8G /swap && sudo chmod 600 /swap && sudo mkswap /swap && sudo swapon /swap"

_WITHOUT_ZRAM = (38,)  # Thors show no swap in tegrastats as shipped


def _judge(findings: Findings) -> Answer:
    if not findings.meminfo:
        return not_applicable("nothing runs here")
    swaps = findings.audit.swaps
    if swaps:
        total = sum(swap.size_bytes for swap in swaps)
        kinds = ", ".join(dict.fromkeys(swap.kind for swap in swaps))
        note = "; zram helps anonymous memory of the CPU alone" if kinds == "zram" else ""
        return passed(f"{format_bytes(total)} of {kinds}{note}")
    zram = findings.jetson and findings.release < _WITHOUT_ZRAM
    mend = "sudo systemctl enable --now nvzramconfig.service" if zram else _FILE
    return failed("no swap: idle memory cannot make room", mend)


CHECK = Item(
    asks="Is there swap?",
    judge=_judge,
    source="LLM Optimization on Jetson; L4T enables zram of MemTotal/2",
)
