"""What is too slow is followed by fewer bytes, for as long as the floors hold, and in few rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")

from stub_session import StubSession, search_in

from memfit.engine.predictions import Speed
from memfit.search.best import best_of
from memfit.search.choose import mixes
from memfit.search.conclude import nearest
from memfit.search.floors import parse_floor
from memfit.search.records import Asked, Candidate
from memfit.search.speed import bytes_for_speed, slowness

BUDGET = 6_000_000


def by_bytes(fixed_bytes: int = 0) -> Callable[[int], Speed]:
    """As if so many bytes more were read for each token, at 600 MB a second; prompts do not care."""
    return lambda size: Speed(prefill_tokens_per_s=1000.0, decode_tokens_per_s=6e8 / (size + fixed_bytes))


def tried(session: StubSession, asked: Asked) -> list[Candidate]:
    given: Any = session
    return [one for _, one in mixes(search_in(session), given, asked)]


@pytest.mark.parametrize("fixed_bytes", [0, 3_000_000])
def test_a_mix_that_is_too_slow_for_its_budget_is_followed_by_a_smaller_one(fixed_bytes: int) -> None:
    """Also where half of the time is none of the bytes': two measurements tell."""
    session = StubSession(by_bytes(fixed_bytes))
    least = 6e8 / (BUDGET * 0.65 + fixed_bytes)
    asked = Asked(max_bytes=BUDGET, min_tokens_per_s=least)
    found = tried(session, asked)
    assert slowness(found[0], asked) > 1
    best = best_of(found, asked)
    assert best is not None
    assert 0.5 * BUDGET < best.bytes < 0.65 * BUDGET
    assert len(found) <= 3


def test_what_is_fast_enough_is_measured_once() -> None:
    session = StubSession(by_bytes())
    assert len(tried(session, Asked(max_bytes=BUDGET, min_tokens_per_s=50))) == 1
    assert len(session.measured) == 1


def test_a_speed_that_nothing_has_ends_after_few_rounds_and_names_the_nearest() -> None:
    session = StubSession(by_bytes())
    asked = Asked(max_bytes=BUDGET, min_tokens_per_s=1e6)
    found = tried(session, asked)
    assert best_of(found, asked) is None
    assert 2 <= len(found) <= 4
    near = nearest(found, asked)
    assert near is not None
    assert near.bytes == min(one.bytes for one in found)


def test_a_first_token_that_fewer_bytes_do_not_hasten_is_given_up() -> None:
    found = tried(StubSession(by_bytes()), Asked(max_bytes=BUDGET, max_ttft_s=0.2))
    assert len(found) == 2


def test_with_a_floor_bytes_become_fewer_only_while_it_holds() -> None:
    session = StubSession(by_bytes())
    floors = (parse_floor("kl=0.02"),)
    held = tried(session, Asked(floors=floors))
    smallest = min(one.bytes for one in held if one.holds)
    asked = Asked(floors=floors, min_tokens_per_s=6e8 / (0.8 * smallest))
    found = tried(session, asked)
    assert len(found) == len(held) + 1
    assert slowness(found[-1], asked) <= 1
    assert not found[-1].holds
    assert best_of(found, asked) is None
    assert nearest(found, asked) is not None


def test_nothing_is_below_the_smallest_file() -> None:
    session = StubSession(by_bytes())
    search = search_in(session)
    given: Any = session
    found = [one for _, one in mixes(search, given, Asked(max_bytes=search.least_bytes, min_tokens_per_s=1e6))]
    assert len(found) == 1
    assert bytes_for_speed(found, Asked(max_bytes=BUDGET, min_tokens_per_s=1e6), search.least_bytes) is None
