"""Rows that are rounded with an eye on each other: errors of one are made good by those behind it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_coupling import GROUPS, Outputs, coupled, coupling
from memfit.engine._llama_cpp._child.bench_known import Known, read_known, write_known
from memfit.engine._llama_cpp._child.bench_moments import Moments

ROWS, COLUMNS = 64, 96


def gradients(seed: int = 0) -> Any:
    """Moments, (rows, rows), of gradients that have much to do with each other."""
    random = np.random.default_rng(seed)
    slopes = random.standard_normal((500, 8)) @ random.standard_normal((8, ROWS))
    slopes += 0.3 * random.standard_normal(slopes.shape)
    return (slopes.T @ slopes / len(slopes)).astype(np.float32)


def near(values: Any, moments: list[Any]) -> Any:
    """Rows of whole numbers, rounded with an eye on each other."""
    data = coupled(
        values,
        [coupling(one) for one in moments],
        lambda wanted: np.rint(wanted).astype(np.int8).view(np.uint8).reshape(-1),
        lambda data: data.view(np.int8).reshape(-1, COLUMNS).astype(np.float32),
    )
    return data.view(np.int8).reshape(values.shape).astype(np.float32)


def weights(rows: int = ROWS) -> Any:
    return (10 * np.random.default_rng(7).standard_normal((rows, COLUMNS))).astype(np.float32)


def power(off: Any, moments: Any) -> float:
    return float(np.einsum("ij,ik,kj->", off, moments.astype(np.float64), off))


def test_errors_cost_less_and_as_much_less_as_is_said() -> None:
    values, moments = weights(), gradients()
    share = power(near(values, [moments]) - values, moments) / power(np.rint(values) - values, moments)
    assert share < 0.6
    assert share == pytest.approx(coupling(moments).left, rel=0.4)  # which is of moments that are damped


def test_rows_that_have_nothing_to_do_with_each_other_are_rounded_as_ever() -> None:
    values = weights()
    assert (near(values, [np.diag(np.arange(1, ROWS + 1)).astype(np.float32)]) == np.rint(values)).all()
    assert coupling(np.eye(ROWS, dtype=np.float32)).left == pytest.approx(1)


def test_rows_that_no_gradient_reached_are_rounded_as_ever() -> None:
    values = weights()
    assert (near(values, [np.zeros((ROWS, ROWS), np.float32)]) == np.rint(values)).all()


def test_blocks_are_rounded_each_for_itself() -> None:
    values, two = weights(2 * ROWS), [gradients(1), gradients(2)]
    together = near(values, two)
    assert (together[:ROWS] == near(values[:ROWS], two[:1])).all()
    assert (together[ROWS:] == near(values[ROWS:], two[1:])).all()


def test_what_is_wanted_of_a_group_is_the_best_that_it_could_be() -> None:
    moments = gradients().astype(np.float64)
    damped = moments + 0.1 * np.trace(moments) / ROWS * np.eye(ROWS)
    errors = np.zeros((ROWS, COLUMNS), np.float32)
    groups = [list(range(group, ROWS, GROUPS)) for group in range(GROUPS)]
    before, own = [*groups[0], *groups[1]], groups[2]
    errors[before] = np.random.default_rng(1).standard_normal((len(before), COLUMNS))
    free = [row for group in groups[2:] for row in group]  # the rows behind are yet to do what is best for them
    best = -np.linalg.solve(damped[np.ix_(free, free)], damped[np.ix_(free, before)] @ errors[before])
    found = coupling(gradients()).wanted(2, errors)
    assert np.abs(found + best[: len(own)]).max() < 1e-3


def test_they_are_read_back_as_they_were() -> None:
    given = Outputs({"blk.0.attn_q.weight": np.stack([gradients(3), gradients(4)])})
    file = BytesIO()
    write_known(file, Known({"blk.0.attn_q.weight": np.ones((1, COLUMNS), np.float32)}, {}, Moments(), {}, given, {}))
    file.seek(0)
    with np.load(file) as arrays:
        known = read_known(arrays)
    again = known.outputs
    assert list(known.importance) == ["blk.0.attn_q.weight"]
    assert (again.means["blk.0.attn_q.weight"] == given.means["blk.0.attn_q.weight"]).all()
    assert again.left("blk.0.attn_q.weight") == given.left("blk.0.attn_q.weight") < 1
    assert again.left("another") == 1
    assert again.coupled("another") == []
