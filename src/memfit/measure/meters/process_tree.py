"""The run's processes: resident and anonymous memory by ``statm``, and how many there are."""

from __future__ import annotations

from memfit.measure.meters._meter import RESIDENT, Every, Meter, Series, Values, Watched

ANONYMOUS = Series("anonymous", "bytes")
PROCESSES = Series("processes", "count")


class _Reader:
    def __init__(self, watched: Watched) -> None:
        self._tree = watched.tree
        self._count = Every(10)

    def read(self) -> Values:
        pages = self._tree.read()
        values: dict[Series, float] = {RESIDENT: pages.resident_bytes, ANONYMOUS: pages.anonymous_bytes}
        if self._count.is_due():
            values[PROCESSES] = len(self._tree.pids)
        return values

    def close(self) -> None:
        """The tree belongs to the sampler."""


METER = Meter(
    summary="resident and anonymous memory of the run's processes",
    units=("bytes", "count"),
    interval_s=0.1,
    open=_Reader,
)
