"""The run's control group: what it is charged with; twice a second, and while it grows, what the kernel cannot drop."""

from __future__ import annotations

from memfit.device.cgroup import Cgroup, parse_number, parse_stat
from memfit.errors import ProbeError
from memfit.measure.meters._meter import LIMITED, Every, Meter, Series, Values, Watched

ANONYMOUS = Series("anonymous", "bytes")
FILE = Series("file", "bytes")
SHARED = Series("shared", "bytes")
KERNEL = Series("kernel", "bytes")
UNEVICTABLE = Series("unevictable", "bytes")


class _Reader:
    def __init__(self, watched: Watched, group: Cgroup) -> None:
        self._version = group.version
        self._parts_due = Every(5)
        self._usage_at_parts_bytes = 0
        self._usage = watched.file(group.usage_path)
        self._stat = watched.file(group.stat_path)
        # version 1 keeps kernel memory apart, version 2 in `memory.stat`
        self._kernel = watched.file(f"{group.folder}/memory.kmem.usage_in_bytes") if group.version == 1 else None

    def read(self) -> Values:
        usage = parse_number(self._usage.read(64).decode("ascii", "replace"))
        values: dict[Series, float] = {} if usage is None else {LIMITED: usage}
        # a run that is killed while it loads has grown by most of what it held within half a second
        grown = usage is not None and usage > self._usage_at_parts_bytes * 5 // 4
        if self._parts_due.is_due() or grown:
            self._usage_at_parts_bytes = usage or 0
            self._read_parts(values)
        return values

    def _read_parts(self, values: dict[Series, float]) -> None:
        parts = parse_stat(self._stat.read().decode("ascii", "replace"), self._version)
        kernel = parts.kernel_bytes if self._kernel is None else self._kernel_bytes()
        if parts.anonymous_bytes is not None:
            values[ANONYMOUS] = parts.anonymous_bytes
            values[UNEVICTABLE] = parts.anonymous_bytes + (parts.shared_bytes or 0) + (kernel or 0)
        for series, size in ((FILE, parts.file_bytes), (SHARED, parts.shared_bytes), (KERNEL, kernel)):
            if size is not None:
                values[series] = size

    def close(self) -> None:
        for file in (self._usage, self._stat, self._kernel):
            if file is not None:
                file.close()

    def _kernel_bytes(self) -> int | None:
        assert self._kernel is not None
        try:
            return parse_number(self._kernel.read(64).decode("ascii", "replace"))
        except ProbeError:  # not counted by this kernel
            self._kernel.close()
            return None


def _open(watched: Watched) -> _Reader | None:
    return None if watched.cgroup is None else _Reader(watched, watched.cgroup)


METER = Meter(
    summary="what the control group is charged with, and its parts",
    units=("bytes",),
    interval_s=0.1,
    open=_open,
)
