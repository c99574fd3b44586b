"""Pressure stall information: how long tasks waited for memory (Linux 4.20; Documentation/accounting/psi.rst).

A kernel may be built without it, or have it switched off until it boots with ``psi=1`` (reading the file then fails).
"""

from __future__ import annotations

import msgspec

from memfit.errors import ProbeError
from memfit.host import Host, LocalHost

PATH = "/proc/pressure/memory"


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """Time since boot, or since a group was made.

    Attributes:
        some_s: at least one task waited.
        full_s: all tasks that could have run waited.
    """

    some_s: float
    full_s: float


def read_pressure(host: Host | None = None) -> Pressure | None:
    """Of the whole machine; None where the kernel does not count it."""
    try:
        return parse_pressure((host or LocalHost()).read_bytes(PATH, most=4096).decode("ascii", "replace"))
    except ProbeError:
        return None


def parse_pressure(text: str) -> Pressure | None:
    """Lines ``some avg10=0.00 … total=123`` and ``full …`` with totals in µs; None without the first."""
    totals: dict[str, float] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        number = rest.rpartition("total=")[2].strip()
        if number.isascii() and number.isdecimal():
            totals[kind] = int(number) / 1e6
    if "some" not in totals:
        return None
    return Pressure(some_s=totals["some"], full_s=totals.get("full", 0.0))
