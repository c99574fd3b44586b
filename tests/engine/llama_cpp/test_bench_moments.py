"""Second moments: cut into blocks, shared where the same tensor feeds several weights, kept as arrays."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_moments import Moments, block_columns, lost, moments_from


@pytest.mark.parametrize(
    ("columns", "size"),
    [
        (256, 256),
        (768, 768),
        (1024, 1024),
        (1056, 96),
        (4096, 256),
        (2880, 192),
        (1120, 224),
        (100, None),
        (1030, None),
    ],
)
def test_blocks_divide_the_columns_and_hold_whole_blocks_of_formats(columns: int, size: int | None) -> None:
    found = block_columns(columns)
    assert found == size
    assert found is None or (columns % found == 0 and found % 32 == 0)


@pytest.mark.parametrize(
    ("rows", "whole", "size"), [(768, 256, 256), (128, 256, 128), (14336, 64, 64), (2880, 256, 192)]
)
def test_fewer_may_make_a_block(rows: int, whole: int, size: int) -> None:
    assert block_columns(rows, whole) == size


def rows(count: int, columns: int) -> Any:
    return np.random.default_rng(columns).standard_normal((count, columns)).astype(np.float32)


def test_they_are_means_over_all_rows() -> None:
    given = rows(600, 64)
    found = Moments()
    found.add("q", 1, given[:200])
    found.add("q", 7, given[200:])  # of another graph, at another address
    found.finish()
    assert np.allclose(found.of("q")[0], given.T @ given / 600, atol=1e-4)


def test_weights_that_one_tensor_feeds_share_them() -> None:
    given = rows(50, 2048)
    found = Moments()
    for name in ("q", "k", "v"):
        found.add(name, 1, given)
    found.add("o", 2, given)
    found.finish()
    assert list(found.means) == ["q", "o"]
    assert found.of("v") is found.of("q")
    assert found.of("q").shape == (8, 256, 256)
    assert found.prepared("k") is found.prepared("v")
    assert found.of("unknown") is None
    assert found.prepared("unknown") == []


def test_what_is_not_finite_is_dropped() -> None:
    found = Moments()
    found.add("q", 1, np.full((4, 32), np.inf, np.float32))
    found.finish()
    assert found.of("q") is None
    assert found.arrays() == {}


def test_they_are_read_back_as_they_were() -> None:
    found = Moments()
    for name in ("q", "k"):
        found.add(name, 1, rows(50, 64))
    found.finish()
    file = BytesIO()
    np.savez(file, **found.arrays())
    file.seek(0)
    with np.load(file) as arrays:
        again = moments_from(arrays)
    assert (again.of("k") == found.of("q")).all()
    assert again.arrays().keys() == found.arrays().keys()


def test_what_is_lost_is_the_power_of_the_outputs() -> None:
    given, off = rows(300, 1280), rows(5, 1280) / 100
    found = Moments()
    found.add("down", 1, given)
    found.finish()
    by_block = sum(((given[:, at : at + 256] @ off[:, at : at + 256].T) ** 2).sum() / 300 for at in range(0, 1280, 256))
    assert lost(off, found.of("down")) == pytest.approx(by_block, rel=1e-4)
