"""Predictions corrected by what is measured, with the cache's share told apart; a session that answers at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from small_search import MODEL

pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")

from memfit.model.shape import Tensor
from memfit.search.base import Base
from memfit.search.choose import NUMBERLESS, Search, mixes
from memfit.search.floors import parse_floor
from memfit.search.records import Asked, Quality
from memfit.search.setting import Measured
from memfit.search.solve import Option

CACHE = 0.002


class StubSensitivity:
    """Every tensor may be Q4_K, at the same cost."""

    def options(self, tensor: Tensor, _important: frozenset[str]) -> list[Option]:
        base = Base.tensor_bytes
        kept = Option(format=tensor.format, bytes=base(tensor, tensor.format), divergence=0.0)
        return [kept, Option(format="Q4_K", bytes=base(tensor, "Q4_K"), divergence=0.001)]

    def predict(self, tensor: Tensor, format: str, *, plain: bool = False) -> float | None:
        return {tensor.format: 0.0, "Q4_K": 0.001}.get(format)


def search_with(kl: float) -> Search:
    """Whatever is measured diverges by so much."""
    quality = Quality(kl_mean=kl, perplexity=2.0, perplexity_ci95=(2.0, 2.0), kl_ci95=(kl, kl), tokens=10)
    session: Any = SimpleNamespace(
        base=Base(str(MODEL)),
        bench=SimpleNamespace(important=frozenset()),
        measure=lambda *_, **__: Measured(quality=quality),
    )
    return Search(session, StubSensitivity())  # type: ignore[arg-type]


def test_the_cache_adds_its_share_and_scales_nothing() -> None:
    search = search_with(0.012)
    search.cache_kl = CACHE
    mix = search.within_divergence(0.007)
    assert mix is not None
    changed = sum(one == "Q4_K" for one in mix.formats.values())
    assert changed == 5  # 0.005 are left for weights
    assert mix.predicted_kl == pytest.approx(0.007)
    search.correct(mix)
    assert search.scale == pytest.approx(2)
    assert search.predicted(mix.formats) == pytest.approx(0.012)
    assert search.predicted({}) == pytest.approx(CACHE)


def test_a_floor_below_the_caches_share_leaves_weights_as_they_are() -> None:
    search = search_with(CACHE)
    search.cache_kl = CACHE
    mix = search.within_divergence(CACHE / 2)
    assert mix is not None
    assert "Q4_K" not in mix.formats.values()


@pytest.mark.parametrize("kl", [float("nan"), float("inf"), 0.0, CACHE / 2])
def test_what_tells_nothing_corrects_nothing(kl: float) -> None:
    search = search_with(kl)
    search.cache_kl = CACHE
    mix = search.within_divergence(0.007)
    assert mix is not None
    search.correct(mix)
    assert search.scale == 1.0


def test_a_mix_that_predicts_no_numbers_is_followed_by_a_larger_one() -> None:
    """It tells nothing of how far off the aim is; the floor is approached from what costs much less."""
    search = search_with(0.004)
    session: Any = search._session
    measured = [Measured(quality=None), Measured(quality=None), session.measure(), session.measure()]
    session.measure = lambda *_, **__: measured.pop(0)
    floors = (parse_floor("kl=0.0041"),)
    (_, none), (_, one), *_ = mixes(search, session, Asked(floors=floors))
    assert none.why_not == NUMBERLESS
    assert not none.holds
    assert search.scale != 1.0
    assert one.bytes > none.bytes


def test_a_mix_with_a_format_that_was_not_measured_has_no_prediction() -> None:
    search = search_with(0.01)
    name = search.within_bytes(1 << 30)
    assert name is not None
    assert search.predicted({next(iter(name.formats)): "IQ1_S"}) is None
