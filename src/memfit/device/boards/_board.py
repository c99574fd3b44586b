"""The record of a board: every figure with its own grade and source, and None for what nobody told."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from memfit.device.audit_records import PowerMode
from memfit.device.records import Grade

T = TypeVar("T")

_STRENGTH: tuple[Grade, ...] = ("measured", "source", "datasheet", "inferred", "stated")
DATASHEET = "NVIDIA's module data sheet, not re-read"


class Figure(msgspec.Struct, Generic[T], frozen=True):
    """A value and how it is known: ``measured`` (a log), ``source`` (a BSP's file), ``datasheet`` or ``inferred``."""

    value: T
    grade: Grade
    source: str


def datasheet(value: T, note: str = "") -> Figure[T]:
    """A figure of the maker's data sheet."""
    return Figure(value, "datasheet", f"{DATASHEET}; {note}" if note else DATASHEET)


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """What one power mode allows; None where its file sets no limit, and the board's own is the limit.

    Attributes:
        mode: its name.
        gpu_hz, memory_hz, cpu_hz: the highest clocks. DRAM moves data at both edges of ``memory_hz``.
        sms: SMs that have power. cores: CPU cores that are online.
    """

    mode: str
    gpu_hz: int | None = None
    memory_hz: int | None = None
    cpu_hz: int | None = None
    sms: int | None = None
    cores: int | None = None


class PowerTable(msgspec.Struct, frozen=True, kw_only=True):
    """The modes of one nvpmodel file: a board can have two, as Orin's modules with and without Super.

    Attributes:
        name: the file without ``nvpmodel_`` and ``.conf``, ``p3767_0003_super``.
        modes: by id. Ids differ by board: 0 is the highest mode on some and 15 W on others.
        default_id: the mode after flashing.
        clocks: what each mode allows, as far as a file of this name is known.
    """

    name: str
    modes: Figure[tuple[PowerMode, ...]]
    default_id: Figure[int] | None = None
    clocks: Figure[tuple[Clocks, ...]] | None = None

    @property
    def is_super(self) -> bool:
        """Whether these are the modes with the higher clocks of GPU and memory."""
        return self.name.endswith("_super")


def power_table(
    name: str,
    source: str,
    *modes: str,
    default_id: int,
    grade: Grade = "source",
    clocks: Figure[tuple[Clocks, ...]] | None = None,
) -> PowerTable:
    """A table with its modes in the order of their ids."""
    numbered = tuple(PowerMode(id=number, name=mode) for number, mode in enumerate(modes))
    return PowerTable(
        name=name,
        modes=Figure(numbered, grade, source),
        default_id=Figure(default_id, grade, source),
        clocks=clocks,
    )


class Bug(msgspec.Struct, frozen=True, kw_only=True):
    """A known fault that takes memory or keeps it from being had.

    ``since`` and ``before`` are releases of Jetson Linux; None is open. ``bytes`` is what it hides, where one can tell.
    """

    name: str
    says: str
    mend: str
    grade: Grade
    source: str
    bytes: int | None = None
    since: str | None = None
    before: str | None = None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """A board.

    Attributes:
        name: as its maker writes it.
        modules: part numbers as they stand in the device tree and the boot spec, ``p3767-0003``; several boards may
            share one, and are then told apart by their memory.
        carriers: part numbers of the only carriers it is sold with; those decide before any module.
        physical_bytes: DRAM on the module.
        total_bytes: MemTotal as Linux shows it there.
        desktop_bytes, headless_bytes: what a stock system takes before a deployment starts (MemTotal less
            MemAvailable), with and without a desktop.
        bandwidth_bytes_per_s: of its DRAM; super_bandwidth_bytes_per_s in the Super modes.
        gpu: the name of the GPU's architecture. compute_capability: ``8.7``. sms, cuda_cores: of its GPU.
        gpu_hz: the highest clock of its GPU; super_gpu_hz in the Super modes. cpu_hz, super_cpu_hz: of its CPU.
        threads: CPU cores. instructions: the CPU's extensions, in llama.cpp's names.
        power: modes by file.
        dlas, pvas, nvencs, nvdecs: how many; 0 is none.
        bugs: known faults.
        aliases: other names people type.
    """

    name: str
    modules: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    physical_bytes: Figure[int] | None = None
    total_bytes: Figure[int] | None = None
    desktop_bytes: Figure[int] | None = None
    headless_bytes: Figure[int] | None = None
    bandwidth_bytes_per_s: Figure[int] | None = None
    super_bandwidth_bytes_per_s: Figure[int] | None = None
    gpu: Figure[str] | None = None
    compute_capability: Figure[str] | None = None
    sms: Figure[int] | None = None
    cuda_cores: Figure[int] | None = None
    gpu_hz: Figure[int] | None = None
    super_gpu_hz: Figure[int] | None = None
    cpu_hz: Figure[int] | None = None
    super_cpu_hz: Figure[int] | None = None
    threads: Figure[int] | None = None
    instructions: Figure[tuple[str, ...]] | None = None
    power: tuple[PowerTable, ...] = ()
    dlas: Figure[int] | None = None
    pvas: Figure[int] | None = None
    nvencs: Figure[int] | None = None
    nvdecs: Figure[int] | None = None
    bugs: tuple[Bug, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def system_bytes(self) -> Figure[int] | None:
        """What a stock system takes: with a desktop, as L4T is flashed, else without."""
        return self.desktop_bytes or self.headless_bytes

    @property
    def capacity_bytes(self) -> int | None:
        """What is left of MemTotal for a deployment; None where MemTotal or the system's use is not known."""
        if self.total_bytes is None or self.system_bytes is None:
            return None
        return self.total_bytes.value - self.system_bytes.value

    @property
    def grade(self) -> Grade | None:
        """How the capacity is known: the weaker grade of MemTotal and the system's use."""
        if self.total_bytes is None or self.system_bytes is None:
            return None
        return max(self.total_bytes.grade, self.system_bytes.grade, key=_STRENGTH.index)
