"""Models of 1 to 5 GB load from NVMe; an SD card works, slower."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown

_MEND = "lsblk -d -o NAME,SIZE,MODEL  # no nvme0n1 here: put an NVMe drive into the M.2 slot, then mount it"


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    places = findings.audit.storage
    fast = next((place for place in places if place.kind == "nvme"), None)
    if fast is not None:
        return passed(f"{fast.mount} lies on NVMe ({fast.device})")
    root = next((place for place in places if place.mount == "/"), None)
    if root is None or root.kind in ("unknown", "virtual"):
        return unknown("the kind of storage could not be seen")
    return failed(f"no NVMe; / lies on {root.kind} ({root.device}): it works, models load slower", _MEND)


CHECK = Item(
    asks="Do models load from NVMe?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
