"""GPU memory by NVIDIA's management library: in use on each GPU, and by the run's processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memfit.errors import ProbeError
from memfit.measure.meters._meter import Meter, Series, Values, Watched

if TYPE_CHECKING:
    from memfit.device.nvml import Nvml

HELD_BY_RUN = Series("held_by_run", "bytes")


class _Reader:
    def __init__(self, watched: Watched, library: Nvml) -> None:
        self._tree = watched.tree
        self._library = library

    def read(self) -> Values:
        values: dict[Series, float] = {
            Series(f"used_gpu{gpu.index}", "bytes"): gpu.used_bytes
            for gpu in self._library.memory()
            if gpu.used_bytes is not None
        }
        own = set(self._tree.pids)
        held = [
            process.used_bytes
            for process in self._library.processes()
            if process.pid in own and process.used_bytes is not None
        ]
        if held:
            values[HELD_BY_RUN] = sum(held)
        return values

    def close(self) -> None:
        self._library.close()


def _open(watched: Watched) -> _Reader | None:
    if not watched.on_this_machine:
        return None
    from memfit.device.nvml import Nvml  # ctypes, where a machine is asked

    try:
        return _Reader(watched, Nvml())
    except ProbeError:
        return None


METER = Meter(summary="GPU memory by NVML", units=("bytes",), interval_s=0.5, waits=True, open=_open)
