"""The whole machine's memory: what is available, and once a second page cache, slab, shared memory and swap in use."""

from __future__ import annotations

import re

from memfit.device.meminfo import parse_meminfo
from memfit.errors import ProbeError
from memfit.measure.meters._meter import AVAILABLE, Every, Meter, Series, Values, Watched
from memfit.units import KIB

_FIELDS = {
    "MemFree": Series("free", "bytes"),
    "Cached": Series("cached", "bytes"),
    "Slab": Series("slab", "bytes"),
    "SReclaimable": Series("slab_reclaimable", "bytes"),
    "Shmem": Series("shared", "bytes"),
    # where the kernel has it: L4T R32 and R35, not R36
    "NvMapMemUsed": Series("nvmap", "bytes"),
}
_AVAILABLE = re.compile(rb"^MemAvailable:\s+([0-9]{1,16}) kB$", re.MULTILINE)
SWAPPED = Series("swapped", "bytes")


class _Reader:
    def __init__(self, watched: Watched) -> None:
        self._file = watched.file("/proc/meminfo")
        self._all_due = Every(10)

    def read(self) -> Values:
        text = self._file.read()
        found = _AVAILABLE.search(text)
        values: dict[Series, float] = {} if found is None else {AVAILABLE: int(found[1]) * KIB}
        if self._all_due.is_due():
            sizes = parse_meminfo(text.decode("ascii", "replace"))
            values.update((series, sizes[field]) for field, series in _FIELDS.items() if field in sizes)
            if "SwapTotal" in sizes:
                values[SWAPPED] = sizes["SwapTotal"] - sizes.get("SwapFree", 0)
        return values

    def close(self) -> None:
        self._file.close()


def _open(watched: Watched) -> _Reader | None:
    try:
        watched.host.read_bytes("/proc/meminfo", most=16)
    except ProbeError:  # not Linux
        return None
    return _Reader(watched)


METER = Meter(
    summary="MemAvailable, page cache, slab and swap of the machine",
    units=("bytes",),
    interval_s=0.1,
    open=_open,
)
