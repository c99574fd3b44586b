"""What a search came to: what is taken, what competed with it, and whether training makes it better."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.search.base import differing
from memfit.search.choose import RECOVERED, Mix, candidate
from memfit.search.records import Asked, CacheChoice, Candidate, Recovered
from memfit.search.recover import Recovery, recover
from memfit.search.sensitivity import Sensitivity
from memfit.search.session import Said, Session
from memfit.search.speed import slowness

_UNTRAINED = "training found nothing better: the file is the search's own (more --minutes, or more text, may find it)"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        mix, candidate: what is taken, and its figures; None where nothing will do.
        candidates: everything that was made or predicted.
        asked: with the budget that follows from a device.
        sensitivity: what was learned of tensors; None of a ladder.
        least_bytes: of the smallest file that the formats allow.
        caches: formats of the cache beside weights, as predicted.
        recovered, file: of trained numbers, where these are taken.
        notes: that stand beside the result.
        left: presets that could be better, and were not measured.
    """

    mix: Mix | None
    candidate: Candidate | None
    candidates: tuple[Candidate, ...]
    asked: Asked
    sensitivity: Sensitivity | None = None
    least_bytes: int | None = None
    caches: tuple[CacheChoice, ...] = ()
    recovered: Recovered | None = None
    file: Path | None = None
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def with_recovery(session: Session, recovery: Recovery, decision: Decision, mix: Mix, said: Said) -> Decision:
    """The same formats with trained numbers, where those are nearer to the base on unseen text.

    Raises:
        as ``recover``.
    """
    formats = differing(mix.formats, session.base)
    trained = recover(session, formats, recovery, said=said)
    if not trained.replaced:
        return msgspec.structs.replace(decision, notes=(_UNTRAINED,))
    file = session.recovered_file(formats, trained.replaced)
    figures = session.measure_file(str(file), unseen=True, full=True)
    one = candidate(RECOVERED, mix, figures, decision.asked.floors)
    one = msgspec.structs.replace(one, predicted_kl=None)
    before, asked = decision.candidate, decision.asked
    ordered = tuple(sorted((*decision.candidates, one), key=lambda any_: any_.bytes))
    fast = before is None or slowness(one, asked) <= max(1.0, slowness(before, asked))
    if not fast or not one.holds or (before is not None and _lost(one) >= _lost(before)):
        return msgspec.structs.replace(decision, candidates=ordered, notes=(_UNTRAINED,))
    return msgspec.structs.replace(decision, candidate=one, candidates=ordered, recovered=trained.record, file=file)


def _lost(one: Candidate) -> float:
    return (one.quality.kl_mean or 0.0) if one.quality is not None else float("inf")
