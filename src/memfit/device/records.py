"""What memfit knows of a device: how much memory a deployment may take there, and why."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.units import KIB

Grade = Literal["measured", "source", "datasheet", "inferred", "stated"]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's memory, as a deployment sees it.

    Attributes:
        name: as it was asked for, ``Orin Nano 8GB`` or ``this machine``.
        unified: CPU and GPU share one memory (Jetson).
        physical_bytes: DRAM on the module, None where unknown.
        total_bytes: MemTotal as Linux shows it, None for a stated size.
        os_bytes: what the system takes before any deployment: MemTotal less MemAvailable.
        capacity_bytes: what a deployment may take.
        instructions: the CPU's extensions that decide which weights are repacked, ``neon dotprod i8mm``.
        threads: CPU cores.
        gpu: the name of its GPU's architecture, None without one.
        read_ahead_bytes: what its disk reads around a page that is missing (``read_ahead_kb``); the kernel's own
            default where nobody asked (``VM_READAHEAD_PAGES``, include/linux/mm.h, Linux 6.18).
        grade: how the figures are known.
        source: where from.
    """

    name: str
    unified: bool
    physical_bytes: int | None = None
    total_bytes: int | None = None
    os_bytes: int = 0
    capacity_bytes: int
    instructions: tuple[str, ...] = ()
    threads: int = 1
    gpu: str | None = None
    read_ahead_bytes: int = 128 * KIB
    grade: Grade
    source: str
    schema_version: int = 1

    @property
    def here(self) -> bool:
        """Whether it is the machine memfit runs on, whose own build of an engine can be asked."""
        return self.name in ("this machine", "stated memory")
