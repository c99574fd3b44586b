"""No memory kept for a crash kernel: the BSP keeps 750 MiB where kdump is on."""

from __future__ import annotations

from memfit.device.checks._item import Answer, Findings, Item, failed, not_applicable, passed
from memfit.units import format_bytes


def _judge(findings: Findings) -> Answer:
    if not findings.meminfo:
        return not_applicable("nothing runs here")
    kept = sum(term.bytes for term in findings.audit.terms if term.name == "crashkernel")
    if not kept:
        return passed("nothing is kept")
    return failed(
        f"{format_bytes(kept)} are kept for a crash kernel",
        "sudo systemctl disable kdump-tools  # and take crashkernel= out of the kernel's command line, then reboot",
    )


CHECK = Item(
    asks="Is no memory kept for a crash kernel?",
    judge=_judge,
    source="p3701.conf.common of the BSP: crashkernel=750M with kdump",
)
