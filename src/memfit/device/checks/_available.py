"""What both questions about available memory share."""

from __future__ import annotations

from memfit.device.checks._item import Answer, Findings, failed, not_applicable, passed, unknown
from memfit.units import format_bytes


def judge_available(findings: Findings, needed_bytes: int, mend: str | None) -> Answer:
    """Judge MemAvailable; a machine that has less in all is not asked."""
    total, available = findings.audit.linux_bytes, findings.audit.available_bytes
    if total is None or available is None:
        return unknown("nothing runs here: an image has no available memory")
    if total <= needed_bytes:
        return not_applicable(f"the machine has {format_bytes(total)} in all")
    stands = f"{format_bytes(available)} available of {format_bytes(total)}"
    if available >= needed_bytes:
        return passed(stands)
    return failed(f"{stands}; {needed_bytes / 10**9:.0f} GB are wanted", mend)
