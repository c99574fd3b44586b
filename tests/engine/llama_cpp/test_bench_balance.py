"""The head as another that predicts the same: factors that lose less, and slopes that are what they are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_balance import Part, fitted

COLUMNS = 256


def sizes(seed: int, rows: int, large: int | None = None, times: float = 1.0) -> Any:
    """Normal numbers, one column larger than the others."""
    found = np.random.default_rng(seed).standard_normal((rows, COLUMNS)).astype(np.float32)
    if large is not None:
        found[:, large] *= times
    return found


def lost(weights: Any, activations: Any, bits: int) -> tuple[float, float]:
    """What rounding takes of a product: of weights in groups of 16, and of activations in one block."""
    grouped = weights.reshape(len(weights), -1, 16)
    step = np.abs(grouped).max(axis=2, keepdims=True) / 2 ** (bits - 1)
    off = ((np.rint(grouped / step) - grouped / step) * step).reshape(weights.shape)
    scale = np.abs(activations).max(axis=1, keepdims=True) / 127
    noise = (np.rint(activations / scale) - activations / scale) * scale
    return float(((activations @ off.T) ** 2).mean()), float(((noise @ weights.T) ** 2).mean())


def test_a_large_column_is_made_smaller_and_less_is_lost() -> None:
    weights, activations = sizes(0, 512, large=40, times=12), sizes(1, 512)
    factors = fitted(weights, activations)
    assert factors[40] < 0.4 < np.delete(factors, 40).min()
    assert np.log(factors).mean() == pytest.approx(0, abs=1e-6)
    before, after = lost(weights, activations, 4), lost(weights * factors, activations / factors, 4)
    assert after[0] < 0.8 * before[0]
    assert sum(after) < 0.8 * sum(before)


def test_a_large_activation_is_made_smaller_and_less_is_lost() -> None:
    weights, activations = sizes(0, 512), sizes(1, 512, large=7, times=20)
    factors = fitted(weights, activations)
    assert factors[7] > 1.3
    before, after = lost(weights, activations, 6), lost(weights * factors, activations / factors, 6)
    assert after[1] < 0.7 * before[1]
    assert sum(after) < 0.8 * sum(before)


def test_even_columns_stay_nearly_as_they_are() -> None:
    factors = fitted(sizes(0, 512), sizes(1, 512))
    assert 0.8 < factors.min() < factors.max() < 1.25


@pytest.mark.parametrize("what", ["columns", "zeros", "silent", "nan"])
def test_nothing_is_said_of_what_cannot_be_told(what: str) -> None:
    weights, activations = sizes(0, 64), sizes(1, 64)
    if what == "columns":
        weights, activations = weights[:, :48], activations[:, :48]
    elif what == "zeros":
        weights[:, 3] = 0
    elif what == "silent":
        activations[:, 3] = 0
    else:
        weights[0, 0] = np.nan
    assert fitted(weights, activations) is None


@pytest.mark.parametrize(("shared", "sign"), [(16, 1), (32, 1), (256, -1)])
def test_slopes_are_what_small_steps_show(shared: int, sign: int) -> None:
    random = np.random.default_rng(2)
    part = Part(np.abs(sizes(3, 300)).astype(np.float64), shared, random.random(COLUMNS), sign)
    logs = random.standard_normal(COLUMNS) / 10
    _, slope = part.slope(logs)
    for column in random.choice(COLUMNS, 8, replace=False):
        step = np.zeros(COLUMNS)
        step[column] = 1e-4
        shown = (part.slope(logs + step)[0] - part.slope(logs - step)[0]) / 2e-4
        assert shown == pytest.approx(slope[column], rel=0.05, abs=1e-3 * float(np.abs(slope).max()))
