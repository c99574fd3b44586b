"""Less than 4 GB available: stop services that nobody needs."""

from __future__ import annotations

from memfit.device.checks._available import judge_available
from memfit.device.checks._item import Answer, Findings, Item

_NEEDED_BYTES = 4 * 10**9
# reclaims that are no service; making CMA smaller is not offered, because it can keep the GPU from starting
_UNITS = {
    "snapd": "snapd.service snapd.socket",
    "cups": "cups.service",
    "bluetooth": "bluetooth.service",
    "modem_manager": "ModemManager.service",
    "avahi": "avahi-daemon.service avahi-daemon.socket",
    "packagekit": "packagekit.service",
    "kerneloops": "kerneloops.service",
    "colord": "colord.service",
    "camera_daemon": "nvargus-daemon.service",
}


def _judge(findings: Findings) -> Answer:
    units = [_UNITS[reclaim.name] for reclaim in findings.audit.reclaims if reclaim.name in _UNITS]
    mend = f"sudo systemctl disable --now {' '.join(units)}" if units else None
    return judge_available(findings, _NEEDED_BYTES, mend)


CHECK = Item(
    asks="Are 4 GB available?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
