"""NVIDIA's management library, ``libnvidia-ml.so.1``: memory of a GPU and of the processes on it.

Called by ctypes, so that nothing has to be installed. Names, structures and codes: ``nvml.h`` of CUDA 12.6.
On a Jetson before Thor there is no such library; on Thor it answers, but has no memory of its own to report.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from memfit.errors import ProbeError

if TYPE_CHECKING:
    from typing_extensions import Self

LIBRARY = "libnvidia-ml.so.1"

_SUCCESS = 0
_NO_PERMISSION = 4
_INSUFFICIENT_SIZE = 7
_NOT_SUPPORTED = (3, 13)  # NVML_ERROR_NOT_SUPPORTED, NVML_ERROR_FUNCTION_NOT_FOUND
_NOT_AVAILABLE = (1 << 64) - 1  # NVML_VALUE_NOT_AVAILABLE
_NAME_BYTES = 96  # NVML_DEVICE_NAME_V2_BUFFER_SIZE
_MOST_PROCESSES = 4096


class _Memory(ctypes.Structure):
    """``nvmlMemory_t``."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Process(ctypes.Structure):
    """``nvmlProcessInfo_t`` of ``nvmlDeviceGetComputeRunningProcesses_v3``."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class GpuMemory(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU.

    Attributes:
        index: as NVML counts them.
        name: as the driver calls it.
        total_bytes, used_bytes: of its own memory; None where it has none or does not say. ``used`` holds what the
            driver took for itself too.
        unified: it has no memory of its own: CPU and GPU share one.
    """

    index: int
    name: str
    total_bytes: int | None = None
    used_bytes: int | None = None
    unified: bool = False


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that computes on a GPU; ``used_bytes`` is None where the driver does not tell (some containers)."""

    gpu: int
    pid: int
    used_bytes: int | None = None


class Nvml:
    """The library, opened; close it, or use it in a ``with``.

    Args:
        library: what ``ctypes.CDLL`` gives, for tests; None loads it.

    Raises:
        ProbeError: there is no such library, or its driver does not answer.
    """

    def __init__(self, library: Any = None) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY) if library is None else library
        except OSError as error:
            raise ProbeError(f"{LIBRARY}: not on this machine", hint="it comes with NVIDIA's driver") from error
        self._open = False
        code = self._call("nvmlInit_v2")
        if code != _SUCCESS:
            raise ProbeError(f"{LIBRARY}: {self._words(code)}", hint="is NVIDIA's driver loaded? nvidia-smi tells more")
        self._open = True
        self._gpus = tuple(self._handles())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the driver; more than once is no harm."""
        if self._open:
            self._open = False
            self._call("nvmlShutdown")

    def memory(self) -> tuple[GpuMemory, ...]:
        """Every GPU that answers."""
        return tuple(self._memory(index, gpu) for index, gpu in self._gpus)

    def used_bytes(self, index: int) -> int | None:
        """What is in use of one GPU's memory; None where it does not say."""
        return self._memory(index, dict(self._gpus)[index]).used_bytes

    def processes(self) -> tuple[GpuProcess, ...]:
        """Who computes on them. In a container pids are those of the host and may match nothing seen from inside."""
        return tuple(process for index, gpu in self._gpus for process in self._processes(index, gpu))

    def _handles(self) -> Iterable[tuple[int, ctypes.c_void_p]]:
        count = ctypes.c_uint(0)
        if self._call("nvmlDeviceGetCount_v2", ctypes.byref(count)) != _SUCCESS:
            return
        for index in range(count.value):
            handle = ctypes.c_void_p()
            if self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle)) == _SUCCESS:
                yield index, handle

    def _memory(self, index: int, gpu: ctypes.c_void_p) -> GpuMemory:
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._call("nvmlDeviceGetName", gpu, name, ctypes.c_uint(_NAME_BYTES))
        words = name.value.decode("utf-8", "replace") or f"GPU {index}"
        held = _Memory()
        code = self._call("nvmlDeviceGetMemoryInfo", gpu, ctypes.byref(held))
        if code != _SUCCESS:
            return GpuMemory(index=index, name=words, unified=code in _NOT_SUPPORTED)
        return GpuMemory(index=index, name=words, total_bytes=held.total, used_bytes=held.used)

    def _processes(self, index: int, gpu: ctypes.c_void_p) -> tuple[GpuProcess, ...]:
        room = 16
        while room <= _MOST_PROCESSES:
            count, rows = ctypes.c_uint(room), (_Process * room)()
            code = self._call("nvmlDeviceGetComputeRunningProcesses_v3", gpu, ctypes.byref(count), rows)
            if code == _SUCCESS:
                return tuple(
                    GpuProcess(gpu=index, pid=row.pid, used_bytes=None if row.used == _NOT_AVAILABLE else row.used)
                    for row in rows[: min(count.value, room)]
                )
            if code != _INSUFFICIENT_SIZE:
                return ()
            room = max(2 * room, count.value + 16)  # more may start before it is asked again
        return ()

    def _call(self, name: str, *arguments: Any) -> int:
        function = getattr(self._library, name, None)
        if function is None:  # a driver older than the function
            return _NOT_SUPPORTED[1]
        return int(function(*arguments))

    def _words(self, code: int) -> str:
        if code == _NO_PERMISSION:
            return "no permission to ask the driver"
        known = {9: "the driver is not loaded", 12: "a library of the driver is missing"}
        return known.get(code, f"error {code}")
