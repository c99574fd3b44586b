"""Means and their confidence, from windows of text: pure functions.

Predictions of one window are not independent of each other, windows nearly are. So a mean's error is that of a ratio of
sums over windows (clusters), with Student's t for as many windows as there are (Cochran, Sampling Techniques, 3rd ed.,
section 9A.6 and 6.4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from memfit.engine.predictions import Scored
from memfit.search.records import Quality

_MOST_NATS = 700.0  # whose exponential is a number still
# Student's t, two-sided 95 %, by degrees of freedom; 1.96 beyond (any table; Cochran, appendix)
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def mean(sums: Sequence[float], counts: Sequence[int]) -> tuple[float, tuple[float, float]]:
    """The mean of all addends and its 95 % confidence interval, from each window's sum and count.

    With a single window nobody knows the error: the interval has no bounds.
    """
    total = sum(counts)
    ratio = sum(sums) / total
    windows = len(sums)
    if windows < 2:
        return ratio, (-math.inf, math.inf)
    squares = sum((one - ratio * count) ** 2 for one, count in zip(sums, counts, strict=True))
    error = math.sqrt(squares * windows / (windows - 1)) / total
    half = student(windows - 1) * error
    return ratio, (ratio - half, ratio + half)


def student(freedom: int) -> float:
    """Student's t for a two-sided interval of 95 %."""
    return _T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.4 / freedom


def is_numbers(scored: Scored) -> bool:
    """Whether a model predicts numbers, and rules out nothing that comes: else no JSON holds its figures."""
    return all(math.isfinite(one.nats) and math.isfinite(one.divergence or 0.0) for one in scored.windows)


def quality(scored: Scored) -> Quality:
    """What windows show together."""
    windows = scored.windows
    counts = [one.tokens for one in windows]
    nats, nats_ci = mean([one.nats for one in windows], counts)
    found = Quality(perplexity=_exponential((nats, nats))[0], perplexity_ci95=_exponential(nats_ci), tokens=sum(counts))
    if windows[0].base_nats is None or windows[0].divergence is None:
        return found
    base, _ = mean([one.base_nats or 0.0 for one in windows], counts)
    _, change_ci = mean([one.nats - (one.base_nats or 0.0) for one in windows], counts)
    divergence, (low, high) = mean([one.divergence or 0.0 for one in windows], counts)
    return Quality(
        kl_mean=divergence,
        kl_ci95=(max(0.0, low), high),
        kl_p99=scored.p99,
        top1=sum(one.agree or 0 for one in windows) / sum(counts),
        perplexity=found.perplexity,
        perplexity_ci95=found.perplexity_ci95,
        base_perplexity=_exponential((base, base))[0],
        perplexity_ratio_ci95=_exponential(change_ci),
        tokens=found.tokens,
    )


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided p-value that a model loses as many tasks as it wins, of those where two models differ.

    Source: McNemar's test with the binomial distribution (Agresti, Categorical Data Analysis, 3rd ed., section 11.1).
    """
    differ = lost + won
    if not differ:
        return 1.0
    tail: float = sum(math.comb(differ, k) for k in range(min(lost, won) + 1)) / 2**differ
    return min(1.0, 2 * tail)


def _exponential(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = (math.exp(min(one, _MOST_NATS)) for one in bounds)
    return low, high
