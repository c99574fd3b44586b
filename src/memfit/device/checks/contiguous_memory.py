"""CMA is there, and holds what the GPU asks for when it powers on."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown
from memfit.units import format_bytes

_SHARE = 256  # nvgpu asks for MemTotal/256, measured on one AGX Orin 64GB
_WITHOUT_NVGPU = (38,)  # Thor's GPU has another driver; where R39 runs on Orin nobody has told


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not findings.meminfo:
        return unknown("nothing runs here")
    if findings.boot_log is not None and findings.boot_log.cma_failure_bytes:
        asked = format_bytes(findings.boot_log.cma_failure_bytes)
        return failed(f"a driver asked CMA for {asked} in vain since the boot", _mend(findings))
    total = findings.meminfo.get("CmaTotal", 0)
    if not total:
        return failed("no CMA at all: the GPU may not start", _mend(findings))
    needed = findings.meminfo["MemTotal"] // _SHARE
    if total < needed and findings.release < _WITHOUT_NVGPU:
        return failed(f"{format_bytes(total)}, and the GPU asks for some {format_bytes(needed)}", _mend(findings))
    return passed(f"{format_bytes(total)}, {format_bytes(findings.meminfo.get('CmaFree', 0))} of it free")


def _mend(findings: Findings) -> str:
    words = (findings.audit.boot.command_line or "").split()
    asked = next((word for word in words if word.startswith("cma=")), None)
    if asked is not None:
        return f"# take {asked} out of /boot/extlinux/extlinux.conf (at most 950M on Orin Nano), then: sudo reboot"
    return "# add cma=512M to APPEND in /boot/extlinux/extlinux.conf, then: sudo reboot"


CHECK = Item(
    asks="Is there enough contiguous memory for the GPU to power on?",
    judge=_judge,
    source="OE4T/meta-tegra#1613; cma= above 950M gives no pool on Orin Nano (measured)",
)
