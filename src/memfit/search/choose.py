"""The search itself: mixes of formats are predicted, solved for, made, measured, and the prediction corrected.

A mix is only as good as it measures: what is told of it comes from the engine's real kernels on text that nothing was
probed, weighted or corrected by, and presets that could do better are measured beside it. With a floor that text also
aims the next round, which the record says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from memfit.search.base import Base
from memfit.search.floors import held
from memfit.search.records import Asked, Candidate, Floor, Held
from memfit.search.sensitivity import FORMATS_SEARCHED, Sensitivity
from memfit.search.session import Session
from memfit.search.setting import Measured
from memfit.search.solve import Option, least_bytes, least_divergence
from memfit.search.speed import bytes_for_speed

SEARCHED, RECOVERED = "searched", "recovered"
NUMBERLESS = "predicts no numbers in these formats"
_ROUNDS, _SPEED_ROUNDS = 5, 3  # each makes and measures a file
_CLOSE = 0.97  # of a floor: nearer is not worth another round
_LEAST_STEP = 0.25
_AIM = 0.985  # of a floor: what the next round tries to reach


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Formats of the tensors that change, with what they take and are predicted to cost; None: nobody knows."""

    formats: dict[str, str]
    bytes: int
    predicted_kl: float | None = None


class Search:
    """Finds mixes for a base whose tensors were probed.

    Args:
        session: the workbench.
        sensitivity: what was learned of its tensors.
    """

    def __init__(self, session: Session, sensitivity: Sensitivity) -> None:
        self._session = session
        self._base: Base = session.base
        self._sensitivity = sensitivity
        self._options = [sensitivity.options(one, session.bench.important) for one in self._base.changeable]
        kept = {one.name: one.format for one in self._base.changeable}
        padded = sum(options[0].bytes for options in self._options)
        self._rest_bytes = self._base.file_bytes(kept) - padded
        self.scale = 1.0
        self.cache_kl = 0.0  # of the cache's formats: whatever the weights are, it is in all that is measured

    @property
    def least_bytes(self) -> int:
        """Of the smallest file that these formats allow."""
        return self._rest_bytes + sum(min(one.bytes for one in options) for options in self._options)

    def predicted(self, formats: Mapping[str, str], *, plain: bool = False) -> float | None:
        """The divergence of a mix, corrected by what was measured so far; None where a tensor was not measured.

        ``plain``: of a file as llama-quantize makes it.
        """
        parts = [
            self._sensitivity.predict(one, formats.get(one.name, one.format), plain=plain)
            for one in self._base.changeable
        ]
        if any(one is None for one in parts):
            return None
        return self.scale * sum(one or 0.0 for one in parts) + self.cache_kl

    def within_bytes(self, most_bytes: int) -> Mix | None:
        """The mix with the least divergence in so many bytes; None where none is so small."""
        return self._mix(least_divergence(self._options, most_bytes - self._rest_bytes))

    def formats_within(self, most_bytes: int) -> dict[str, str] | None:
        """The formats of that mix."""
        mix = self.within_bytes(most_bytes)
        return None if mix is None else mix.formats

    def within_divergence(self, most: float) -> Mix | None:
        """The mix with the fewest bytes whose predicted divergence, corrected, stays within."""
        return self._mix(least_bytes(self._options, max(most - self.cache_kl, 0.0) / self.scale))

    def correct(self, mix: Mix) -> Measured:
        """Measure a mix on the text of the search, and correct predictions by it."""
        found = self._session.measure(mix.formats, unseen=False)
        if found.quality is None:
            return found
        plain = ((mix.predicted_kl or 0.0) - self.cache_kl) / self.scale
        measured = (found.quality.kl_mean or 0.0) - self.cache_kl
        if math.isfinite(measured) and measured > 0 and plain > 0:
            self.scale = measured / plain
        return found

    def _mix(self, chosen: Sequence[Option] | None) -> Mix | None:
        if chosen is None:
            return None
        formats = {one.name: option.format for one, option in zip(self._base.changeable, chosen, strict=True)}
        predicted = self.scale * sum(option.divergence for option in chosen) + self.cache_kl
        return Mix(formats=formats, bytes=self._base.file_bytes(formats), predicted_kl=predicted)


def candidate(name: str, mix: Mix, found: Measured | None, floors: Sequence[Floor], fallbacks: int = 0) -> Candidate:
    """A mix with what was measured of it, as a record."""
    if found is None or found.quality is None:
        return Candidate(
            name=name,
            bytes=mix.bytes,
            predicted_kl=mix.predicted_kl,
            fallbacks=fallbacks,
            why_not=None if found is None else NUMBERLESS,
        )
    return Candidate(
        name=name,
        bytes=mix.bytes,
        fallbacks=fallbacks,
        predicted_kl=mix.predicted_kl,
        quality=found.quality,
        speed=found.speed,
        tasks=found.tasks,
        held=held(floors, found.quality, found.tasks),
    )


def mixes(search: Search, session: Session, asked: Asked) -> list[tuple[Mix, Candidate]]:
    """Mixes on the way to the one that was asked for: the smallest that holds all floors, or the best in a budget.

    Where those are too slow, smaller ones are measured as well, for as long as they hold the floors.
    """
    if asked.floors:
        tried = _for_floors(search, session, asked.floors, asked.max_bytes)
    else:
        mix = search.within_bytes(asked.max_bytes or 0)
        tried = [] if mix is None else [_measured(search, session, mix, ())]
    for _ in range(_SPEED_ROUNDS):
        most_bytes = bytes_for_speed([one for _, one in tried], asked, search.least_bytes)
        mix = None if most_bytes is None else search.within_bytes(most_bytes)
        if mix is None or any(mix.formats == other.formats for other, _ in tried):
            break
        tried.append(_measured(search, session, mix, asked.floors))
        if not tried[-1][1].holds:
            break
    return tried


def _measured(search: Search, session: Session, mix: Mix, floors: Sequence[Floor]) -> tuple[Mix, Candidate]:
    """On the text of the search, which corrects predictions, and on the unseen one."""
    search.correct(mix)
    mix = msgspec.structs.replace(mix, predicted_kl=search.predicted(mix.formats))
    return mix, candidate(SEARCHED, mix, session.measure(mix.formats, unseen=True, full=True), floors)


def _for_floors(
    search: Search, session: Session, floors: Sequence[Floor], most_bytes: int | None
) -> list[tuple[Mix, Candidate]]:
    """Mixes on the way to the smallest that holds all floors; the last that holds is the smallest.

    Each round aims at a divergence, makes the smallest file with it, and measures: first on the text of the search to
    correct predictions, then on the unseen one. What holds is told by the upper end of an interval, so the aim moves
    until that end lies close under the floor.
    """
    aim = min((one.most for one in floors if one.kind == "kl"), default=0.02)
    tried: list[tuple[Mix, Candidate]] = []
    seen: set[str] = set()
    for _ in range(_ROUNDS):
        mix = search.within_divergence(aim)
        if mix is None or (most_bytes is not None and mix.bytes > most_bytes):
            mix = search.within_bytes(most_bytes) if most_bytes is not None else None
            if mix is None:
                break
        key = str(sorted(mix.formats.items()))
        if key in seen:
            break
        seen.add(key)
        mix, one = _measured(search, session, mix, floors)
        tried.append((mix, one))
        if one.quality is None:
            aim = (mix.predicted_kl or aim) * _LEAST_STEP
            continue
        worst = worst_share(one.held, floors)
        if one.holds and worst >= _CLOSE:
            break
        aim = (mix.predicted_kl or aim) * _step(worst, one.held, floors)
    return tried


def worst_share(found: Sequence[Held], floors: Sequence[Floor]) -> float:
    """How much of the floors is used up by the one that is nearest to break: above 1, it does not hold."""
    shares = [
        one.measured / floor.most if floor.most else (0.0 if one.holds else 2.0)
        for one, floor in zip(found, floors, strict=True)
    ]
    return max(shares, default=0.0)


def _step(worst: float, found: Sequence[Held], floors: Sequence[Floor]) -> float:
    """What to multiply the aim by."""
    by_task = any(floor.kind == "task" and not one.holds for one, floor in zip(found, floors, strict=True))
    if by_task:
        return 0.6  # answers come in steps: how far to go is not in the figure
    return min(4.0, max(_LEAST_STEP, _AIM / worst)) if worst > 0 else 4.0


def searched_formats(asked: Sequence[str]) -> tuple[str, ...]:
    """The formats of a search: those asked for, or the usual ones."""
    return tuple(asked) or FORMATS_SEARCHED
