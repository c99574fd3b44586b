"""Presets beside a search: whichever could be better is measured, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")

from stub_session import BASE, OFFERED, StubSession, search_in

from memfit.engine.predictions import Speed
from memfit.search.best import best_of
from memfit.search.choose import mixes
from memfit.search.compete import competing
from memfit.search.floors import parse_floor
from memfit.search.ladder import rungs
from memfit.search.records import Asked, Candidate

BUDGET = 3_750_000
SIZES = {one.preset: one.mix.bytes for one in rungs(BASE, frozenset(one.name for one in BASE.changeable)) if one.mix}


def outcome(
    asked: Asked,
    *,
    plainly: Callable[[float, int], float],
    speed: Callable[[int], Speed] | None = None,
    offered: tuple[str, ...] = OFFERED,
    share: float = 1.0,
) -> tuple[Candidate | None, list[int], tuple[str, ...]]:
    """What is best, bytes of the presets that were measured, and names of those that were left."""
    session: Any = StubSession(speed, plainly)
    search = search_in(session, offered, share)
    tried = [one for _, one in mixes(search, session, asked)]
    found, left = competing(search, session, asked, tried, rungs(BASE, session.bench.important))
    best = best_of([*tried, *(one for _, one in found)], asked)
    return best, [size for size, plain in session.measured if plain], left


def test_two_presets_are_measured_where_none_could_be_better() -> None:
    best, measured, left = outcome(Asked(max_bytes=BUDGET), plainly=lambda kl, _bytes: 2 * kl)
    assert measured == [SIZES["Q4_K_M"], SIZES["Q4_K_S"]]
    assert not left
    assert best is not None
    assert best.name == "searched"


def test_a_preset_that_was_predicted_worse_and_is_better_is_found() -> None:
    """Two that were predicted better than it disappoint."""

    def plainly(kl: float, size: int) -> float:
        return 0.3 * kl if size == SIZES["IQ4_NL"] else 2 * kl

    best, measured, left = outcome(Asked(max_bytes=BUDGET), plainly=plainly, share=0.45)
    assert best is not None
    assert best.bytes == SIZES["IQ4_NL"]
    assert len(measured) < 6
    assert not left


def test_how_many_are_measured_is_bounded_and_the_rest_is_said() -> None:
    _, measured, left = outcome(Asked(max_bytes=BUDGET), plainly=lambda _kl, _bytes: 9.0, share=0.1)
    assert len(measured) == 6
    assert "IQ3_M" in left


def test_formats_that_nothing_is_known_of_do_not_come_before_what_is_promising() -> None:
    """The smallest presets have them; they are no better than the best mix of their bytes."""
    _, measured, _ = outcome(
        Asked(max_bytes=BUDGET), plainly=lambda kl, _bytes: 2 * kl, offered=("Q3_K", "Q4_K", "Q6_K")
    )
    assert min(measured) > 3_000_000


def test_a_smaller_preset_that_holds_is_found_behind_two_that_do_not() -> None:
    asked = Asked(floors=(parse_floor("kl=0.02"),))
    best, measured, _ = outcome(asked, plainly=lambda _kl, size: 0.01 if size == SIZES["IQ4_XS"] else 9.0, share=0.25)
    assert measured == [SIZES["Q3_K_M"], SIZES["Q3_K_L"], SIZES["IQ4_XS"]]
    assert best is not None
    assert best.name == "IQ4_XS"


def test_with_a_floor_none_is_measured_behind_the_smallest_that_holds() -> None:
    asked = Asked(floors=(parse_floor("kl=0.02"),))
    _, measured, _ = outcome(asked, plainly=lambda _kl, _bytes: 0.01, share=0.25)
    assert measured == [SIZES["Q3_K_M"]]


def test_presets_that_would_be_too_slow_do_not_compete() -> None:
    asked = Asked(max_bytes=BUDGET, min_tokens_per_s=200)
    best, measured, _ = outcome(
        asked,
        plainly=lambda kl, _bytes: 2 * kl,
        speed=lambda size: Speed(prefill_tokens_per_s=1.0, decode_tokens_per_s=6e8 / size),
    )
    assert best is not None
    assert best.bytes <= 3_000_000
    assert measured == [SIZES["Q3_K_M"], SIZES["IQ3_M"]]
