"""The CPUs of a machine: how many, and which of them are faster than others."""

from __future__ import annotations

import re

import msgspec

from memfit.device.reading import read_integer, read_text
from memfit.host import Host

_CPU = "/sys/devices/system/cpu"
PATHS = (f"{_CPU}/online", f"{_CPU}/cpu[0-9]*/cpu_capacity", f"{_CPU}/cpu[0-9]*/cpufreq/cpuinfo_max_freq")
_LIST = re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*")


class Cores(msgspec.Struct, frozen=True, kw_only=True):
    """CPUs that run.

    Attributes:
        online: their numbers; none where the kernel does not say.
        fast: those of the highest capacity, or else of the highest clock; all where they are alike.
        told: how they differ, in words; empty where they do not.
    """

    online: tuple[int, ...] = ()
    fast: tuple[int, ...] = ()
    told: str = ""


def read_cores(host: Host) -> Cores:
    """By ``cpu_capacity``, which counts work per clock too, or else by the highest clock (kHz) of each."""
    online = parse_list(read_text(host, f"{_CPU}/online", most=4096) or "")
    for file, what in (("cpu_capacity", "capacity"), ("cpufreq/cpuinfo_max_freq", "highest clock in kHz")):
        known = {cpu: read_integer(host, f"{_CPU}/cpu{cpu}/{file}") for cpu in online}
        values = {value for value in known.values() if value is not None}
        if len(values) > 1:
            best = max(values)
            fast = tuple(cpu for cpu, value in known.items() if value == best)
            return Cores(online=online, fast=fast, told=f"{what} {best} on {format_list(fast)}, others {min(values)}")
    return Cores(online=online, fast=online)


def parse_list(text: str) -> tuple[int, ...]:
    """``0-3,6`` as numbers; none where it is no list."""
    if not _LIST.fullmatch(text.strip()):
        return ()
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if int(last or first) < int(first):
            return ()
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def format_list(cpus: tuple[int, ...]) -> str:
    """Numbers as ``0-3,6``."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
