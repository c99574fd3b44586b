"""Which of the candidates that were measured is taken."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.search.records import Asked, Candidate
from memfit.search.speed import slowness


def best_of(candidates: Sequence[Candidate], asked: Asked) -> Candidate | None:
    """With floors the fewest bytes that hold them all, without the least divergence; None where none will do."""
    fitting = [
        one
        for one in candidates
        if one.holds and (asked.max_bytes is None or one.bytes <= asked.max_bytes) and slowness(one, asked) <= 1
    ]
    if not fitting:
        return None
    if asked.floors:
        return min(fitting, key=lambda one: one.bytes)
    if asked.max_bytes is None and asked.min_tokens_per_s is None and asked.max_ttft_s is None:
        return None  # a ladder without a floor only shows
    return min(fitting, key=lambda one: (one.quality.kl_mean or 0.0) if one.quality else 0.0)
