"""Presets beside what a search found: none that could be better goes unmeasured, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memfit.search.best import best_of
from memfit.search.choose import Mix, Search, candidate
from memfit.search.ladder import Rung
from memfit.search.records import Asked, Candidate
from memfit.search.session import Session
from memfit.search.speed import slowness

_ALWAYS, _MOST = 2, 6  # presets that are measured: the most promising, and others for as long as they could be better
# a preset may be so much better than it was predicted. Of 26 on the shipped model, corrected by one mix, measured
# divergences were 0.83 to 1.27 of the predicted ones
_NEAR = 1.35
_FASTER = 1.1  # bytes that its kernels may read in the time in which a mix's read one


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """A preset with the divergence that it is predicted, or hoped, to have."""

    rung: Rung
    mix: Mix
    hoped: float


def competing(
    search: Search, session: Session, asked: Asked, tried: Sequence[Candidate], found: Sequence[Rung]
) -> tuple[list[tuple[Mix, Candidate]], tuple[str, ...]]:
    """All presets with their predictions; those that could beat the search are measured, the most promising first.

    Returns:
        Mixes and candidates, and the names of those that could be better still and were not measured.
    """
    rivals = [_rival(search, one, one.mix) for one in found if one.mix is not None]
    waiting = sorted(_allowed(rivals, asked, tried), key=lambda one: one.hoped)
    if asked.floors and best_of(tried, asked) is not None:
        waiting.sort(key=lambda one: one.mix.bytes)
    measured: dict[str, Candidate] = {}
    left: list[str] = []
    for one in waiting:
        best = best_of([*tried, *measured.values()], asked)
        if not _could_win(one, best, asked, always=len(measured) < _ALWAYS):
            continue
        if len(measured) == _MOST:
            left.append(one.rung.preset)
            continue
        figures = session.measure(one.mix.formats, unseen=True, full=True, plain=True)
        measured[one.rung.preset] = candidate(one.rung.preset, one.mix, figures, asked.floors, one.rung.fallbacks)
    every = [
        (one.mix, measured.get(one.rung.preset) or candidate(one.rung.preset, one.mix, None, (), one.rung.fallbacks))
        for one in rivals
        if one.rung.preset in measured or one.mix.predicted_kl is not None
    ]
    return every, tuple(left)


def _rival(search: Search, rung: Rung, mix: Mix) -> Rival:
    """Where a preset has formats that were not measured, it is hoped to be as good as the best mix of its bytes."""
    predicted = search.predicted(mix.formats, plain=True)
    hoped = predicted
    if hoped is None:
        likewise = search.within_bytes(max(mix.bytes, search.least_bytes))
        hoped = None if likewise is None else likewise.predicted_kl
    return Rival(rung=rung, mix=msgspec.structs.replace(mix, predicted_kl=predicted), hoped=hoped or 0.0)


def _allowed(rivals: Sequence[Rival], asked: Asked, tried: Sequence[Candidate]) -> list[Rival]:
    """Those that the budget has room for, and that may be fast enough by what was too slow."""
    slow = [one for one in tried if one.quality is not None and slowness(one, asked) > 1]
    limits = [int(_FASTER * one.bytes / slowness(one, asked)) for one in slow]
    if asked.max_bytes is not None:
        limits.append(asked.max_bytes)
    return [one for one in rivals if not limits or one.mix.bytes <= min(limits)]


def _could_win(one: Rival, best: Candidate | None, asked: Asked, *, always: bool) -> bool:
    """Whether it may be better than the best so far, as far as predictions tell."""
    if asked.floors:
        # under a budget, bytes that are left are no gain: only with floors is fewer better
        if best is not None and one.mix.bytes >= best.bytes:
            return False
        floors = [floor.most for floor in asked.floors if floor.kind == "kl"]
        # what holds shows which divergence does; where nothing does, a floor of divergence itself
        reach = _lost(best) if best is not None else min(floors, default=float("inf"))
        return one.hoped <= _NEAR * reach
    return always or best is None or one.hoped <= _NEAR * _lost(best)


def _lost(one: Candidate) -> float:
    return (one.quality.kl_mean or 0.0) if one.quality is not None else float("inf")
