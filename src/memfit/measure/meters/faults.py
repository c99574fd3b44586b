"""What the kernel did to make room: major faults of the run, refaults and swap traffic of its group or the machine.

All are counted from where the meter was opened.
"""

from __future__ import annotations

from memfit.measure._counters import Counters, read_counters
from memfit.measure.meters._meter import Meter, Series, Values, Watched

MAJOR_FAULTS = Series("major_faults", "count")
REFAULTS = Series("refaults", "pages")
SWAPPED_IN = Series("swapped_in", "pages")
SWAPPED_OUT = Series("swapped_out", "pages")
_FIELDS = (
    (MAJOR_FAULTS, "major_faults"),
    (REFAULTS, "refaults"),
    (SWAPPED_IN, "swapped_in_pages"),
    (SWAPPED_OUT, "swapped_out_pages"),
)


class _Reader:
    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._first = self._now()

    def read(self) -> Values:
        now = self._now()
        values: dict[Series, float] = {}
        for series, field in _FIELDS:
            before, after = getattr(self._first, field), getattr(now, field)
            if before is not None and after is not None:
                values[series] = max(0, after - before)
        return values

    def close(self) -> None:
        """Nothing stays open."""

    def _now(self) -> Counters:
        return read_counters(self._watched.host, self._watched.tree, self._watched.cgroup)


METER = Meter(
    summary="major faults, pages read again, swap traffic",
    units=("count", "pages"),
    interval_s=1.0,
    open=_Reader,
)
