"""How a machine booted: command line, slot, Secure Boot, root device."""

from __future__ import annotations

import re

from memfit.device.audit_records import Boot
from memfit.device.mounts import MOUNTS, parse_mounts
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

COMMAND_LINE = "/proc/cmdline"
_VARIABLES = "/sys/firmware/efi/efivars"
# UEFI specification 2.10 §3.3; edk2-nvidia (gNVIDIAPublicVariableGuid)
SECURE_BOOT = f"{_VARIABLES}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
CHAIN = f"{_VARIABLES}/BootChainFwCurrent-781e084c-a330-417c-b678-38e696380cb9"
LOG = "/var/log/dmesg"
PATHS = (COMMAND_LINE, SECURE_BOOT, CHAIN, MOUNTS, LOG)
_ATTRIBUTES = 4  # bytes before a variable's value in efivarfs
_SLOT = re.compile(r"(?:^|\s)(?:androidboot\.slot_suffix|boot\.slot_suffix)=_?([ab])(?:\s|$)")
_ROOT = re.compile(r"(?:^|\s)root=(\S+)")
_SAID = re.compile(r"secureboot: Secure boot (enabled|disabled)")


def read_boot(host: Host) -> Boot | None:
    """None where the kernel does not run and nothing else tells.

    Secure Boot is that of UEFI. Whether the chip's fuses ask for signed boot firmware cannot be read from Linux.
    """
    line = read_text(host, COMMAND_LINE)
    mounts = parse_mounts(read_text(host, MOUNTS, most=1 << 20) or "")
    root = next((mount.device for mount in mounts if mount.mount == "/" and mount.device.startswith("/dev/")), None)
    boot = Boot(
        command_line=line,
        slot=_slot(host, line or ""),
        secure_boot=_secure_boot(host),
        root_device=root or parse_root(line or ""),
    )
    return None if boot == Boot() else boot


def parse_root(line: str) -> str | None:
    """``root=`` of a command line; the last one counts."""
    found = _ROOT.findall(line)
    return found[-1] if found else None


def _slot(host: Host, line: str) -> str | None:
    value = _variable(host, CHAIN)
    if value is not None and value[:1] in (b"\0", b"\1"):
        return "B" if value[0] else "A"
    told = _SLOT.search(line)  # JetPack 4 and 5 without UEFI variables
    return told[1].upper() if told else None


def _secure_boot(host: Host) -> bool | None:
    value = _variable(host, SECURE_BOOT)
    if value is not None and len(value) == 1:
        return value == b"\1"
    said = _SAID.findall(read_text(host, LOG, most=1 << 20) or "")
    return said[-1] == "enabled" if said else None


def _variable(host: Host, path: str) -> bytes | None:
    try:
        raw = host.read_bytes(path, most=64)
    except ProbeError:
        return None
    return raw[_ATTRIBUTES:] if len(raw) > _ATTRIBUTES else None
