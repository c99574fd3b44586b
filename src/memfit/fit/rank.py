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

from memfit.fit.formats import NEAR_LOSSLESS, loss_of
from memfit.fit.records import FitRow

_LOSS_OF_HALF = 0.33
_EPOCH = 2024.0
_UNKNOWN_YEAR = 2024.0
_ORDER = {"comfortable": 0, "tight": 1, "barely": 2, "no": 3}


def score(parameters: int, parameters_active: int, released: str | None, format: str) -> float:
    """The prior of one model in one format."""
    loss = loss_of(format)
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
    """Best first: what fits, what is fast enough, then by the prior, or by speed where that is what counts."""
    speed = row.decode_tokens_per_s
    too_slow = speed is not None and speed < least_tokens_per_s
    by = (-(speed or 0.0), -row.score) if prefers == "fast" else (-row.score, -(speed or 0.0))
    return (_ORDER[row.verdict], too_slow, *by, row.model)


def best_key(row: FitRow, *, least_tokens_per_s: float) -> tuple[object, ...]:
    """Of one model's rows the one to be shown: llama.cpp's where it does as well, as it is the easiest to set up.

    Of rows that do not fit, the one that is nearest to it.
    """
    if row.verdict == "no":
        return (_ORDER[row.verdict], -row.headroom_bytes)
    speed = row.decode_tokens_per_s
    too_slow = speed is not None and speed < least_tokens_per_s
    easy = row.engine != "llama_cpp"
    return (_ORDER[row.verdict], too_slow, easy, -row.score, -(speed or 0.0))
