"""Whether the process that wrote something still lives: by its number, when it started, and which boot that was."""

from __future__ import annotations

import os
from typing import NamedTuple

from memfit.device.process_tree import read_start_ticks
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost


class Who(NamedTuple):
    """A process, for ever: ``started`` in ticks since the boot of this id; 0 and empty where it cannot be known."""

    pid: int
    started: int
    boot: str


def this_process(host: Host | None = None) -> Who:
    """The one that asks."""
    host = host or LocalHost()
    return Who(os.getpid(), read_start_ticks(os.getpid(), host) or 0, _boot(host))


def lives(who: Who, host: Host | None = None) -> bool:
    """Whether it does; another process of its number, or one of another boot, is not it."""
    host = host or LocalHost()
    if who.boot != _boot(host):
        return False
    return bool(who.started) and read_start_ticks(who.pid, host) == who.started


def _boot(host: Host) -> str:
    try:
        return host.read_bytes("/proc/sys/kernel/random/boot_id", most=64).decode("ascii", "replace").strip()
    except ProbeError:
        return ""
