"""Series of bounded length: hours of readings in the memory of minutes, with their peaks and troughs."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence

_GROUP = 4


class Track:
    """Rows of figures over time; None where there is none. The first column tells which rows to keep.

    When it is full, of every four neighbours the lowest and the highest stay, so that the largest and the smallest
    figure of the first column are always there, at the time they were read.

    Args:
        columns: figures a row.
        most: rows it holds at most, four or more.
    """

    def __init__(self, columns: int, most: int) -> None:
        self._most = max(most, _GROUP)
        self._at_s = array("d")
        # doubles hold every whole number up to 2^53, which is 8 PiB
        self._columns = tuple(array("d") for _ in range(columns))

    def __len__(self) -> int:
        return len(self._at_s)

    def add(self, at_s: float, *row: float | None) -> None:
        """One more row, later than all before it."""
        self._at_s.append(at_s)
        for column, figure in zip(self._columns, row, strict=True):
            column.append(math.nan if figure is None else figure)
        if len(self._at_s) > self._most:
            self._keep(thinned(self._columns[0]))

    def shortened(self, most: int) -> Track:
        """A copy of at most ``most`` rows."""
        copy = Track(len(self._columns), max(self._most, most))
        copy._at_s = array("d", self._at_s)
        copy._columns = tuple(array("d", column) for column in self._columns)
        while len(copy) > most >= _GROUP:
            copy._keep(thinned(copy._columns[0]))
        return copy

    def times(self) -> tuple[float, ...]:
        """When each row was read, in seconds to the millisecond."""
        return tuple(round(at_s, 3) for at_s in self._at_s)

    def column(self, index: int) -> tuple[float, ...]:
        """One column; NaN where there was no figure."""
        return tuple(self._columns[index])

    def rows(self) -> Iterator[tuple[float, ...]]:
        """Every row, its time first."""
        return zip(self.times(), *self._columns, strict=True)

    def _keep(self, places: Sequence[int]) -> None:
        self._at_s = array("d", [self._at_s[place] for place in places])
        self._columns = tuple(array("d", [column[place] for place in places]) for column in self._columns)


def thinned(figures: Sequence[float]) -> list[int]:
    """Places of about half of the figures: the lowest and the highest of every four; the last one always stays."""
    kept: list[int] = []
    for start in range(0, len(figures), _GROUP):
        places = range(start, min(start + _GROUP, len(figures)))
        known = [place for place in places if not math.isnan(figures[place])] or list(places)
        low = min(known, key=lambda place: figures[place])
        high = max(reversed(known), key=lambda place: figures[place])
        if low == high:  # all alike: the stretch is told by its ends
            low, high = known[0], known[-1]
        kept += sorted({low, high})
    if figures and kept[-1] != len(figures) - 1:
        kept.append(len(figures) - 1)
    return kept
