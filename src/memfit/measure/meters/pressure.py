"""Time that tasks waited for memory (PSI): of the run's group where the kernel counts it there, and of the machine."""

from __future__ import annotations

from memfit.device.pressure import PATH, Pressure, parse_pressure
from memfit.errors import ProbeError
from memfit.host.repeated import RepeatedFile
from memfit.measure.meters._meter import Meter, Series, Values, Watched

_SERIES = (
    (Series("some_stalled", "s"), Series("all_stalled", "s")),
    (Series("some_stalled_in_group", "s"), Series("all_stalled_in_group", "s")),
)


class _Reader:
    """Counts from where it was opened: totals since boot say nothing about a run."""

    def __init__(self, files: list[tuple[RepeatedFile, tuple[Series, Series]]]) -> None:
        self._files = [(file, series, _read(file)) for file, series in files]

    def read(self) -> Values:
        values: dict[Series, float] = {}
        for file, (some, every), first in self._files:
            found = _read(file)
            if found is not None and first is not None:
                values[some] = found.some_s - first.some_s
                values[every] = found.full_s - first.full_s
        return values

    def close(self) -> None:
        for file, _, _ in self._files:
            file.close()


def _read(file: RepeatedFile) -> Pressure | None:
    try:
        return parse_pressure(file.read(1024).decode("ascii", "replace"))
    except ProbeError:  # built without it, or switched off until `psi=1`
        return None


def _open(watched: Watched) -> _Reader | None:
    paths = [PATH]
    if watched.cgroup is not None and watched.cgroup.version == 2:
        paths.append(f"{watched.cgroup.folder}/memory.pressure")
    reader = _Reader([(watched.file(path), series) for path, series in zip(paths, _SERIES, strict=False)])
    if reader.read():
        return reader
    reader.close()
    return None


METER = Meter(summary="time that tasks waited for memory", units=("s",), interval_s=1.0, open=_open)
