"""What machine this is, as it says itself."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from pathlib import Path

GIB = 1 << 30


def describe_machine() -> str:
    """One line: processor, cores, memory, kernel, C library, Python."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    system = platform.uname()
    libc = " ".join(platform.libc_ver())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {system.system} {system.release.split('-')[0]}"
        f" {system.machine}, {libc}, Python {platform.python_version()}"
    )


def load() -> str:
    """How busy the machine has been: the load averages over 1 and 5 minutes."""
    one, five, _ = os.getloadavg()
    return f"{one:.1f} / {five:.1f}"


def today() -> str:
    """The date, UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")


def _processor() -> str:
    """The processor's name; where an Arm kernel gives none, its part numbers."""
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name")
    return name or f"CPU implementer {facts.get('CPU implementer', '?')}, part {facts.get('CPU part', '?')}"
