"""Firmware from before JetPack 5.1.1 in the QSPI flash hides about 1 GiB on Orin Nano 8GB."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, not_applicable, passed, unknown
from memfit.units import GIB, MIB, format_bytes

# 7,620 MiB with current firmware, about 6.3 GiB with the old one: halfway between both
_BETWEEN_BYTES = 7 * GIB
_MEND = "sudo apt-get install nvidia-l4t-jetson-orin-nano-qspi-updater && sudo reboot  # or flash JetPack 6 once"
_MODULES = ("p3767-0003", "p3767-0005")


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not any(module in name for module in _MODULES for name in findings.audit.compatible):
        return not_applicable("only Orin Nano 8GB is known for it")
    total = findings.audit.linux_bytes
    if total is None:
        return unknown("nothing runs here")
    if total >= _BETWEEN_BYTES:
        return passed(f"Linux has {format_bytes(total)}")
    missing = 7620 * MIB - total
    return failed(
        f"Linux has {format_bytes(total)}, {format_bytes(missing)} less than with current firmware",
        _MEND,
    )


CHECK = Item(
    asks="Does the firmware hand Linux all of the memory?",
    judge=_judge,
    source="MemTotal 7,802,736 kB on R36.4 (measured); about 6.3 GiB with older firmware (Jetson-Flash-Manager#1)",
)
