"""The upright scale of a scatter plot: from zero, or by powers of ten."""

from __future__ import annotations

import math

from memfit.render.document import Scatter
from memfit.render.drawing.scale import even_ticks

_LEAST = 1e-12


class Values:
    """From a figure to its share of the height.

    Args:
        picture: what is drawn.
        bars: error bars are drawn too, and have room.
        room: above the highest, as a factor of the height.
    """

    def __init__(self, picture: Scatter, *, bars: bool, room: float) -> None:
        self._log = picture.log_value
        spots = picture.spots
        most = max(max([spot.high if bars else spot.value for spot in spots], default=1.0), 1e-9)
        self._top = max(most * room, 1e-9)
        least = min([max(spot.low if bars else spot.value, _LEAST) for spot in spots], default=self._top / 10)
        self._low = min(least / 1.1, self._top / 10)
        if self._log:  # as much room as from zero
            self._top = most * (most / self._low) ** (room - 1)

    def share(self, value: float) -> float:
        """0 at the foot, 1 at the top."""
        if not self._log:
            return value / self._top
        place = math.log(max(value, self._low) / self._low) / math.log(self._top / self._low)
        return min(1.0, place)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Round figures within."""
        if not self._log:
            return even_ticks(self._top, most)
        powers = range(math.floor(math.log10(self._low)), math.ceil(math.log10(self._top)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [step * 10.0**power for power in powers for step in steps]
            inside = tuple(round(value, 12) for value in found if self._low <= value <= self._top)
            if len(inside) <= most + 1:
                return inside
        return inside
