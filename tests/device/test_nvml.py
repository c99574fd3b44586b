"""NVML through a library made of Python: what it answers is written where ctypes points."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from memfit.device import nvml
from memfit.device.nvml import GpuMemory, GpuProcess, Nvml
from memfit.errors import ProbeError
from memfit.units import GIB, MIB

NOT_SUPPORTED, INSUFFICIENT_SIZE, DRIVER_NOT_LOADED, UNKNOWN = 3, 7, 9, 999
NOT_AVAILABLE = (1 << 64) - 1


class Library:
    """One GPU for every entry of ``used``; None has no memory of its own."""

    def __init__(self, used: list[int | None], processes: list[tuple[int, int]] | None = None, starts: int = 0) -> None:
        self.used = used
        self.rows = processes or []
        self.starts = starts
        self.asked_room: list[int] = []
        self.shut = 0

    def nvmlInit_v2(self) -> int:  # noqa: N802  NVML's names
        return self.starts

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.shut += 1
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.used)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:  # noqa: N802
        handle._obj.value = 100 + index.value
        return 0

    def nvmlDeviceGetName(self, gpu: Any, name: Any, room: Any) -> int:  # noqa: N802
        name.value = f"GPU of {gpu.value}".encode()
        return 0

    def nvmlDeviceGetMemoryInfo(self, gpu: Any, held: Any) -> int:  # noqa: N802
        used = self.used[gpu.value - 100]
        if used is None:
            return NOT_SUPPORTED
        held._obj.total, held._obj.used, held._obj.free = 8 * GIB, used, 8 * GIB - used
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v3(self, gpu: Any, count: Any, rows: Any) -> int:  # noqa: N802
        room = count._obj.value
        self.asked_room.append(room)
        count._obj.value = len(self.rows)
        if room < len(self.rows):
            return INSUFFICIENT_SIZE
        for row, (pid, used) in zip(rows, self.rows, strict=False):
            row.pid, row.used = pid, used
        return 0


def test_memory_and_processes() -> None:
    library = Library([3 * GIB], [(42, 700 * MIB), (43, NOT_AVAILABLE)])
    with Nvml(library) as opened:
        assert opened.memory() == (
            GpuMemory(index=0, name="GPU of 100", total_bytes=8 * GIB, used_bytes=3 * GIB, unified=False),
        )
        assert opened.used_bytes(0) == 3 * GIB
        assert opened.processes() == (
            GpuProcess(gpu=0, pid=42, used_bytes=700 * MIB),
            GpuProcess(gpu=0, pid=43, used_bytes=None),
        )
    assert library.shut == 1


def test_a_gpu_without_memory_of_its_own_is_unified() -> None:
    with Nvml(Library([None], [(42, 5 * GIB)])) as opened:
        (gpu,) = opened.memory()
        assert gpu.unified
        assert gpu.total_bytes is gpu.used_bytes is None
        assert opened.processes()[0].used_bytes == 5 * GIB


def test_many_processes_are_asked_for_again_with_more_room() -> None:
    library = Library([0], [(pid, MIB) for pid in range(100)])
    with Nvml(library) as opened:
        assert len(opened.processes()) == 100
    assert library.asked_room[0] < 100 <= library.asked_room[-1]


def test_a_library_that_never_has_enough_room_is_given_up() -> None:
    library = Library([0])
    library.nvmlDeviceGetComputeRunningProcesses_v3 = lambda *_: INSUFFICIENT_SIZE  # type: ignore[method-assign]
    assert Nvml(library).processes() == ()


def test_a_driver_that_is_older_than_a_function() -> None:
    library = Library([GIB])
    library.nvmlDeviceGetComputeRunningProcesses_v3 = None  # type: ignore[assignment,method-assign]
    opened = Nvml(library)
    assert opened.processes() == ()
    assert opened.used_bytes(0) == GIB


def test_a_gpu_that_fails_is_not_taken_for_unified() -> None:
    library = Library([GIB])
    library.nvmlDeviceGetMemoryInfo = lambda *_: UNKNOWN  # type: ignore[method-assign]
    (gpu,) = Nvml(library).memory()
    assert not gpu.unified
    assert gpu.used_bytes is None


def test_a_driver_that_is_not_loaded_says_so() -> None:
    with pytest.raises(ProbeError, match="driver is not loaded"):
        Nvml(Library([], starts=DRIVER_NOT_LOADED))


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(ProbeError, match=r"libnvidia-ml\.so\.1: not on this machine"):
        Nvml()


def test_closing_twice_is_no_harm() -> None:
    library = Library([0])
    opened = Nvml(library)
    opened.close()
    opened.close()
    assert library.shut == 1


def test_the_structures_are_those_of_the_header() -> None:
    """``nvml.h``: three 64-bit counts; a pid, padding, a 64-bit count and two 32-bit instances."""
    assert ctypes.sizeof(nvml._Memory) == 24
    assert ctypes.sizeof(nvml._Process) == 24
    assert nvml._Process.used.offset == 8
