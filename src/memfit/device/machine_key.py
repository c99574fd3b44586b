"""What a machine is called where runs are kept: its board, or else its processor. No host name and no serial."""

from __future__ import annotations

import os
import re

from memfit.errors import ProbeError
from memfit.host import Host, LocalHost

_LONGEST = 64


def machine_key(host: Host | None = None) -> str:
    """The board's model, or the processor's name, folded to ``a-z0-9-``: ``nvidia-jetson-orin-nano-developer-kit``.

    Two machines of one key take the same memory for the same run of the same engine, as far as memfit knows.
    """
    host = host or LocalHost()
    return fold(board_model(host) or processor_name(host))


def board_model(host: Host) -> str | None:
    """The device tree's model, None where there is no device tree (most PCs)."""
    try:
        text = host.read_bytes("/proc/device-tree/model", most=256).rstrip(b"\0").decode("utf-8", "replace")
    except ProbeError:
        return None
    return text.strip() or None


def processor_name(host: Host) -> str:
    """The first processor as the kernel prints it; on Arm without a name, its implementer and part numbers."""
    try:
        text = host.read_bytes("/proc/cpuinfo", most=64 * 1024).decode("utf-8", "replace")
    except ProbeError:
        return os.uname().machine
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    if named := fields.get("model name") or fields.get("Hardware"):
        return named
    if "CPU part" in fields:
        return f"arm {fields.get('CPU implementer', '')} {fields['CPU part']}"
    return os.uname().machine


def fold(name: str) -> str:
    """Lower case, everything else than letters and digits one ``-``; trade marks and clock rates left out."""
    name = re.sub(r"\((?:r|tm|c)\)|@.*$", " ", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:_LONGEST].rstrip("-") or "unknown"
