"""This machine as a device."""

from __future__ import annotations

import os

from memfit.device.meminfo import read_meminfo
from memfit.device.processor import read_instructions
from memfit.device.records import Device
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost


def this_machine(host: Host | None = None) -> Device:
    """What this machine has for a deployment: MemAvailable, now.

    Raises:
        ProbeError: not Linux, or no readable ``/proc/meminfo``.
    """
    host = host or LocalHost()
    memory = read_meminfo(host)
    return Device(
        name="this machine",
        unified=_is_jetson(host),
        total_bytes=memory["MemTotal"],
        os_bytes=memory["MemTotal"] - memory["MemAvailable"],
        capacity_bytes=memory["MemAvailable"],
        instructions=read_instructions(host),
        threads=os.cpu_count() or 1,
        grade="measured",
        source="/proc/meminfo: MemAvailable",
    )


def _is_jetson(host: Host) -> bool:
    try:
        return b"nvidia,tegra" in host.read_bytes("/proc/device-tree/compatible", most=4096)
    except ProbeError:
        return False
