"""The phases of a run, of which a long soak has too many to keep."""

from __future__ import annotations

import msgspec

from memfit.measure.records import Phase

MOST_ROUNDS = 256


class Phases:
    """Phases in order; rounds beyond a number are thinned evenly, and what is left out counts in the next."""

    def __init__(self) -> None:
        self.kept: list[Phase] = []
        self._stride = 1

    def add(self, phase: Phase) -> None:
        """One more."""
        if phase.name.startswith("round "):
            if sum(each.name.startswith("round ") for each in self.kept) >= MOST_ROUNDS:
                self._thin()
            if self.kept and _left_out(self.kept[-1], self._stride):
                phase = _together(self.kept.pop(), phase)
        self.kept.append(phase)

    def _thin(self) -> None:
        self._stride *= 2
        kept: list[Phase] = []
        for each in self.kept:
            if each.name.startswith("round ") and kept and _left_out(kept[-1], self._stride):
                each = _together(kept.pop(), each)
            kept.append(each)
        self.kept = kept


def _left_out(phase: Phase, stride: int) -> bool:
    number = phase.name.removeprefix("round ")
    return number.isdigit() and int(number) % stride != 0


def _together(first: Phase, then: Phase) -> Phase:
    return msgspec.structs.replace(
        then,
        tokens=first.tokens + then.tokens,
        seconds=first.seconds + then.seconds,
        refaults=first.refaults + then.refaults,
    )
