"""How rows are put in order: a prior of what a model can do, and what a format takes away from it.

Nobody has measured every model on every task, so the order is a rule that is told, and no result:

    score = log2(parameters in billions) + years since 2024 - loss of the format ÷ 0.33

Parameters of a mixture of experts count as the geometric mean of all and of those that a token uses. A model published
a year later does as much with half of the parameters (``Densing Law of LLMs``, arXiv 2412.04315: a doubling in 3.3
months among the best; a whole year is the careful reading). A format that costs 0.33 nats, Q2_K's loss on
Llama-3-8B, takes as much as half of the parameters: larger models in four bits are put before smaller ones in eight,
and models in two bits are not. Formats that are near lossless count as equal, so that the fastest of them is taken.
"""

from __future__ import annotations

import math

from memfit.fit.formats import NEAR_LOSSLESS, is_last_resort, loss_of
from memfit.fit.records import FitRow

_LOSS_OF_HALF = 0.33
_EPOCH = 2024.0
_UNKNOWN_YEAR = 2024.0
_ORDER = {"comfortable": 0, "tight": 1, "barely": 2, "no": 3}


def score(parameters: int, parameters_active: int, released: str | None, format: str, *, native: bool = False) -> float:
    """The prior of one model in one format; ``native`` is the one that its makers publish, and costs nothing."""
    loss = 0.0 if native else loss_of(format)
    if loss <= NEAR_LOSSLESS:
        loss = 0.0  # no reason to take twice the bytes
    effective = math.sqrt(max(parameters, 1) * max(parameters_active, 1))
    return round(math.log2(effective / 1e9) + _year(released) - _EPOCH - loss / _LOSS_OF_HALF, 3)


def _year(released: str | None) -> float:
    if released is None:
        return _UNKNOWN_YEAR
    year, _, month = released.partition("-")
    return int(year) + (int(month) - 0.5) / 12 if month else int(year) + 0.5


def sort_key(row: FitRow, *, least_tokens_per_s: float, prefers: str) -> tuple[object, ...]:
    """Best first: what fits, what is fast enough, then by the prior, or by speed where that is what counts.

    Of what does not fit the nearest misses come first.
    """
    speed, too_slow = row.decode_tokens_per_s, _too_slow(row, least_tokens_per_s)
    if row.verdict == "no":
        return (_ORDER[row.verdict], *_missing(row, least_tokens_per_s), -row.score, row.model)
    by = (-(speed or 0.0), -row.score) if prefers == "fast" else (-row.score, -(speed or 0.0))
    return (_ORDER[row.verdict], too_slow, *by, row.model)


def _missing(row: FitRow, least_tokens_per_s: float) -> tuple[int, float]:
    """How far a row is from being an answer: too slow, then too large; what is for another use comes last."""
    if row.headroom_bytes < 0:
        return 1, -row.headroom_bytes
    speed = row.decode_tokens_per_s
    return (0, -speed) if speed is not None and speed < least_tokens_per_s else (2, 0.0)


def best_key(row: FitRow, *, least_tokens_per_s: float) -> tuple[object, ...]:
    """Of one model's rows the one to be shown: llama.cpp's where it does as well, as it is the easiest to set up.

    Of rows that do not fit, the one that is nearest to it.
    """
    if row.verdict == "no":
        return (_ORDER[row.verdict], row.decode_tokens_per_s is None, -(row.decode_tokens_per_s or row.headroom_bytes))
    # where less context fits than was asked for, it is context that is wanted; but not at any price
    capped = 0 if row.verdict != "barely" else -min(row.context_tokens, row.context_trained_tokens)
    too_slow = _too_slow(row, least_tokens_per_s)
    by = (-row.score, -(row.decode_tokens_per_s or 0.0))
    return (_ORDER[row.verdict], is_last_resort(row.format), capped, too_slow, row.engine != "llama_cpp", *by)


def _too_slow(row: FitRow, least_tokens_per_s: float) -> int:
    """0 for what is likely to be fast enough, 1 where no speed is known, 2 for what is likely to be slower.

    By what is likely and not by the end of a bar: with that the engine of which least is known would win.
    """
    if not least_tokens_per_s:
        return 0
    if row.decode_tokens_per_s is None:
        return 1
    return 0 if row.decode_tokens_per_s >= least_tokens_per_s else 2
