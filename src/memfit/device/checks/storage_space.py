"""20 GB free for models and build caches."""

from __future__ import annotations

from memfit.device.checks._item import Answer, Findings, Item, failed, passed, unknown

_NEEDED_BYTES = 20 * 10**9


def _judge(findings: Findings) -> Answer:
    places = [place for place in findings.audit.storage if place.total_bytes > 0]
    if not places:
        return unknown("no file system could be looked at")
    roomiest = max(places, key=lambda place: place.free_bytes)
    stands = f"{roomiest.free_bytes / 10**9:.1f} GB free on {roomiest.mount} ({roomiest.device})"
    if roomiest.free_bytes >= _NEEDED_BYTES:
        return passed(stands)
    return failed(f"{stands}; 20 GB are needed", f"sudo du -xh --max-depth=2 {roomiest.mount} | sort -h | tail")


CHECK = Item(
    asks="Are 20 GB free for models and build caches?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
