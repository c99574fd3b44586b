"""How fast a candidate answers beside what was asked, and how many bytes would be fast enough: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.search.records import Asked, Candidate

_MARGIN = 0.97  # of what was asked: no two measurements are the same
_APART = 1.1  # two candidates whose bytes are nearer than this tell nothing of what bytes cost
_MOST_AT_ONCE = 4  # times fewer bytes in a step


def slowness(one: Candidate, asked: Asked) -> float:
    """How many times slower than asked it is, by the wish that it misses most; above 1 it is too slow."""
    if asked.min_tokens_per_s is None and asked.max_ttft_s is None:
        return 0.0
    if one.speed is None:
        return float("inf")
    shares = [0.0]
    if asked.min_tokens_per_s is not None:
        shares.append(asked.min_tokens_per_s / one.speed.decode_tokens_per_s)
    if asked.max_ttft_s is not None:
        shares.append(asked.ttft_tokens / one.speed.prefill_tokens_per_s / asked.max_ttft_s)
    return max(shares)


def bytes_for_speed(tried: Sequence[Candidate], asked: Asked, least_bytes: int) -> int | None:
    """Bytes with which the speed is likely kept; None where it is kept, or fewer bytes would not help.

    An answer reads all weights for each token, so at first time is taken to follow bytes. What two candidates showed
    tells what of it does.

    Args:
        tried: candidates of a search; those that break a floor count for nothing, as fewer bytes break it too.
        asked: see there.
        least_bytes: of the smallest file.
    """
    holding = sorted((one for one in tried if one.holds), key=lambda one: one.bytes)
    if not holding or any(slowness(one, asked) <= 1 for one in holding):
        return None
    smallest, slow = holding[0], slowness(holding[0], asked)
    wanted = smallest.bytes * _MARGIN / slow
    larger = next((one for one in holding if one.bytes >= _APART * smallest.bytes), None)
    if larger is not None:
        won = (slowness(larger, asked) - slow) / (larger.bytes - smallest.bytes)
        if won <= 0:
            return None
        wanted = min(wanted, smallest.bytes - (slow - _MARGIN) / won)
    found = int(max(wanted, smallest.bytes / _MOST_AT_ONCE, least_bytes))
    return found if found < smallest.bytes else None
