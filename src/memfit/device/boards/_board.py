"""The record of a board."""

from __future__ import annotations

import msgspec

from memfit.device.records import Grade


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """A board's memory.

    Attributes:
        name: as its maker writes it.
        physical_bytes: DRAM on the module.
        total_bytes: MemTotal as Linux shows it there.
        os_bytes: what a stock system takes before a deployment starts: MemTotal less MemAvailable.
        instructions: the CPU's extensions, in llama.cpp's names.
        threads: CPU cores.
        gpu: architecture and compute capability.
        grade: how MemTotal and the system's use are known: the weaker of the two.
        source: where from.
        aliases: other names people type.
    """

    name: str
    physical_bytes: int
    total_bytes: int
    os_bytes: int
    instructions: tuple[str, ...]
    threads: int
    gpu: str
    grade: Grade
    source: str
    aliases: tuple[str, ...] = ()
