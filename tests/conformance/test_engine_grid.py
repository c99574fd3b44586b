"""Weights, KV cache, recurrent state and output rows, by formula and by the engine, for every card.

The fast slice runs with the suite: every card, one preset, the corner settings. ``make conformance`` runs the whole:
every card, six presets, corners and forty random settings.
"""

from __future__ import annotations

import importlib.util

import pytest
from grid import PRESETS, Result, check, corners, drawn

from distinct_cards import distinct
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"),
]

# a CPU with tile registers takes the stacked matrices of latent attention and then cannot multiply them
# (GGML_ASSERT(*cur_backend_id != -1), ggml/src/ggml-backend.cpp); without rearranged weights it can
ABORTS_IN_TILES = {"deepseek_v2_lite", "deepseek_r1"}


def may_abort(key: str, result: Result) -> bool:
    """Whether it is known of the engine that it aborts on some settings of this model."""
    return result.tiles and key in ABORTS_IN_TILES


@pytest.mark.parametrize("key", distinct())
def test_formulas_equal_the_engine_at_the_corners(key: str) -> None:
    result = check(CARDS.get(key), "Q4_K_M", corners())
    assert not result.differences, "\n".join(result.differences[:5])
    assert result.compared >= (2 if may_abort(key, result) else 5)
    assert not result.aborted or may_abort(key, result)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("key", distinct())
def test_formulas_equal_the_engine_over_the_whole_grid(key: str, preset: str) -> None:
    result = check(CARDS.get(key), preset, [*corners(), *drawn(40, seed=sum(map(ord, key + preset)))])
    assert not result.differences, "\n".join(result.differences[:5])
    assert result.compared >= (5 if may_abort(key, result) else 25)
    assert not result.aborted or may_abort(key, result)


def test_every_architecture_has_a_card() -> None:
    covered = {ARCHITECTURES.get(card.architecture).name for card in CARDS}
    assert {architecture.name for architecture in ARCHITECTURES} <= covered
