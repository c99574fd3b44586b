"""Whether memory grows over the rounds of a soak: the warm-up set apart, then a line through what follows.

The line is that of Theil and Sen: the median of the slopes between every two rounds, which a third of wild rounds does
not move. Its interval is Sen's, from the variance of Kendall's rank statistic: P. K. Sen, "Estimates of the regression
coefficient based on Kendall's tau", Journal of the American Statistical Association 63 (1968).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from memfit.measure.records import Growth, Phase

_QUANTILE = statistics.NormalDist().inv_cdf(0.975)  # of a 95 % interval, two-sided
_SURE = 3.0  # a leak must show at three standard deviations: who soaks often is not to be told of leaks by chance
# fewer rounds after the warm-up tell a slope but no leak: of 8 rounds without a trend, 1 in 40 orders rises as much
LEAST_ROUNDS = 8
# so many deviations below the line of the second half is no noise
_STILL_WARMING = 3.0
_NORMAL = 1.4826  # median absolute deviation to standard deviation, of normal errors
_PAGE_BYTES = 4096
# A heap is given memory in such steps (M_TOP_PAD of mallopt(3); Python's pools in larger ones) and touches it page by
# page, later and later, as what it frees is handed out in other places: llama.cpp with a tiny model gains 16 KiB in its
# first 12 rounds, in steps that look like a line, and 32 in 1000. Less than one step cannot be told from that
HEAP_STEP_BYTES = 128 * 1024
# most rounds that pairs are taken of: 400 give 79,800 slopes, some 50 ms
MOST_ROUNDS = 400


def growth_of(phases: Sequence[Phase]) -> Growth | None:
    """The growth over the phases called ``round N``; None with fewer than three of them.

    What a process cannot give back counts: anonymous memory, also that which was swapped. Mapped pages come and go with
    the page cache.
    """
    rounds = [phase for phase in phases if phase.name.startswith("round ")]
    if len(rounds) < 3:
        return None
    held = [phase.anonymous_bytes + phase.swapped_bytes for phase in rounds]
    # of a long soak only some rounds are kept, evenly spaced: their names tell how many lie between two
    numbers = [int(number) for phase in rounds if (number := phase.name.removeprefix("round ")).isdigit()]
    apart = (numbers[-1] - numbers[0]) / (len(numbers) - 1) if len(numbers) == len(rounds) else 1
    found = growth(held)
    return msgspec.structs.replace(
        found,
        rounds=numbers[-1] if numbers else len(rounds),
        bytes_per_round=round(found.bytes_per_round / apart, 1),
        low_bytes_per_round=round(found.low_bytes_per_round / apart, 1),
        high_bytes_per_round=round(found.high_bytes_per_round / apart, 1),
    )


def growth(rounds_bytes: Sequence[int]) -> Growth:
    """Warm-up and slope of memory at the end of every round, at least three of them."""
    start = _settled(rounds_bytes)
    step, rest = _thinned(rounds_bytes[start:])
    slope, low, high = (figure / step for figure in _line(rest))
    return Growth(
        rounds=len(rounds_bytes),
        warm_up_bytes=rounds_bytes[start] - rounds_bytes[0],
        bytes_per_round=round(slope, 1),
        low_bytes_per_round=round(low, 1),
        high_bytes_per_round=round(high, 1),
        leaks=_leaks(rest),
    )


def _settled(held: Sequence[int]) -> int:
    """The round from which on memory follows the line of the second half; at the latest where that begins.

    What lies below that line, drawn back, by more than noise and the line's own doubt is the warm-up. Three rounds at
    least are left.
    """
    half = min(len(held) // 2, len(held) - 3)
    step, rest = _thinned(held[half:])
    slope, low, high = (figure / step for figure in _line(rest))
    beside = [size - slope * step * index for index, size in enumerate(rest)]
    start = statistics.median(beside)
    noise = max(_NORMAL * statistics.median(abs(one - start) for one in beside), _PAGE_BYTES)
    for index in range(half - 1, -1, -1):
        before = half - index
        if start - slope * before - held[index] > _STILL_WARMING * noise + (high - low) * before:
            return index + 1
    return 0


def _thinned(held: Sequence[int]) -> tuple[int, list[int]]:
    """At most ``MOST_ROUNDS`` of them, evenly spaced, and how many rounds lie between two."""
    step = -(-len(held) // MOST_ROUNDS)
    return step, list(held[::step])


def _line(held: Sequence[int], quantile: float = _QUANTILE) -> tuple[float, float, float]:
    """Theil and Sen's slope a round with the ends of its interval, of 95 % unless another quantile is asked for."""
    slopes = sorted(
        (held[later] - held[earlier]) / (later - earlier)
        for earlier in range(len(held))
        for later in range(earlier + 1, len(held))
    )
    count = len(held)
    reach = quantile * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return statistics.median(slopes), slopes[low], slopes[high]


def _leaks(held: Sequence[int]) -> bool:
    """Whether the line rises for sure, in both halves, by more than what lies beside it and more than a heap's step.

    So the smallest leak that is found depends on the rounds: 11 KiB a round in 12 of them, 132 bytes in 1000.

    The interval alone is not enough: it takes rounds for independent, and those of a sawtooth or of one late step are
    not. Such a curve has little rise for what lies beside its line, or rises in one half only. Teeth wider than half of
    all rounds can still be taken for one: soak longer.
    """
    if len(held) < LEAST_ROUNDS:
        return False
    slope, low, _ = _line(held, _SURE)
    if low <= 0 or slope * (len(held) - 1) < HEAP_STEP_BYTES:
        return False
    beside = [size - slope * index for index, size in enumerate(held)]
    tenths = statistics.quantiles(beside, n=10, method="inclusive")
    if slope * (len(held) - 1) <= tenths[-1] - tenths[0]:
        return False
    half = len(held) // 2
    first, later = _line(held[:half]), _line(held[half:], _SURE)
    if first[0] < slope / 4 or later[0] < slope / 4:
        return False
    return later[1] > 0 or half < LEAST_ROUNDS
