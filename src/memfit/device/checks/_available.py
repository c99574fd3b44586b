"""What both questions about available memory share."""

from __future__ import annotations

from memfit.device.audit_records import Audit
from memfit.device.checks._item import Answer, Findings, failed, not_applicable, passed, unknown
from memfit.units import format_bytes

HEADLESS = (
    "sudo systemctl set-default multi-user.target && sudo systemctl isolate multi-user.target  # ends what is on screen"
)
_WORTH_BYTES = 64 << 20
# services that nobody needs where they do not serve; making CMA smaller is not offered, because it can keep the GPU
# from starting
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


def judge_available(findings: Findings, needed_bytes: int, mend: str | None) -> Answer:
    """Judge MemAvailable; a machine that has less in all is not asked. Without ``mend`` the next best thing is told."""
    total, available = findings.audit.linux_bytes, findings.audit.available_bytes
    if total is None or available is None:
        return unknown("nothing runs here: an image has no available memory")
    if total <= needed_bytes:
        return not_applicable(f"the machine has {format_bytes(total)} in all")
    stands = f"{format_bytes(available)} available of {format_bytes(total)}"
    if available >= needed_bytes:
        return passed(stands)
    return failed(f"{stands}; {needed_bytes / 10**9:.0f} GB are wanted", mend or _next_best(findings.audit))


def without_desktop(audit: Audit) -> str | None:
    """Switches the desktop off; None where none runs."""
    return HEADLESS if any(row.role == "desktop" for row in audit.processes) else None


def without_services(audit: Audit) -> str | None:
    """Stops services that nobody needs; None where none of them runs."""
    units = [_UNITS[reclaim.name] for reclaim in audit.reclaims if reclaim.name in _UNITS]
    return f"sudo systemctl disable --now {' '.join(units)}" if units else None


def _next_best(audit: Audit) -> str:
    """What helps where the usual thing is done: the other usual one, then what is idle, then whoever is largest."""
    if (usual := without_desktop(audit) or without_services(audit)) is not None:
        return usual
    pool = sum(term.bytes for term in audit.terms if term.name == "nvmap_pool")
    if pool >= _WORTH_BYTES:
        return f"echo 1 | sudo tee /proc/sys/vm/drop_caches  # NvMap keeps {format_bytes(pool)} of freed pages"
    idle = [row for row in audit.processes if row.role == "idle python"]
    if idle:
        pids = " ".join(str(row.pid) for row in idle)
        return f"kill {pids}  # {', '.join(dict.fromkeys(row.name for row in idle))}: no unit, and idle"
    largest = next(iter(audit.processes), None)
    if largest is None:
        return "sudo memfit audit --processes  # whom to stop"
    size = largest.rss_bytes if largest.pss_bytes is None else largest.pss_bytes
    return f"memfit audit --processes  # whom to stop: {largest.name} ({largest.pid}) has {format_bytes(size)}"
