"""Rounding with error feedback: blocks stay as ggml reads them, no row is worse than before, threads change nothing."""

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_layouts import LAYOUTS
from memfit.engine._llama_cpp._child.bench_rounding import prepared

engine = [
    pytest.mark.engine,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"),
]
NAMES = {
    2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K",
    20: "IQ4_NL", 23: "IQ4_XS",
}  # fmt: skip


@functools.cache
def tried(threads: str) -> dict[str, Any]:
    other = {} if threads == "1" else {"OPENBLAS_CORETYPE": "Nehalem"}  # kernels of another machine
    child = Path(__file__).parents[1] / "rounding_child.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(child)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "OPENBLAS_NUM_THREADS": threads, "PATH": "", **other},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return {NAMES[int(kind)]: found for kind, found in answer.items()}


def test_every_layout_is_tried() -> None:
    assert set(NAMES) == set(LAYOUTS)


@pytest.mark.parametrize("name", NAMES.values())
class TestFormat:
    pytestmark = engine

    def test_blocks_taken_apart_and_put_together_are_ggmls_own(self, name: str) -> None:
        assert tried("1")[name]["packed_again"]

    def test_they_hold_what_ggml_decodes(self, name: str) -> None:
        assert tried("1")[name]["decoded"] <= 1e-4  # of weights of some hundreds: the order of operations may differ

    def test_no_row_is_off_by_more_than_ggmls(self, name: str) -> None:
        assert tried("1")[name]["worse_rows"] == []

    def test_together_they_are_off_by_far_less(self, name: str) -> None:
        assert tried("1")[name]["share"] < 0.8

    def test_the_bytes_are_as_many(self, name: str) -> None:
        assert tried("1")[name]["bytes"]

    def test_threads_and_pieces_change_nothing(self, name: str) -> None:
        found = tried("1")[name]
        assert found["same_by_threads"]
        assert found["same_by_pieces"]
        assert tried("2")[name]["digest"] == found["digest"]

    def test_coupled_rows_cost_less_together(self, name: str) -> None:
        assert tried("1")[name]["coupled_share"] < 0.95  # rows are of very different sizes

    def test_threads_and_pieces_change_nothing_of_coupled_rows(self, name: str) -> None:
        found = tried("1")[name]
        assert found["coupled_same"]
        assert tried("2")[name]["coupled_digest"] == found["coupled_digest"]


def test_factors_are_of_the_damped_moments() -> None:
    rows = np.random.default_rng(1).standard_normal((400, 64)) @ np.random.default_rng(2).standard_normal((64, 64))
    block = prepared((rows.T @ rows / 400).astype(np.float32))
    beside, feed = np.ldexp(block.beside, -21), np.ldexp(block.feed, -block.feed_bits) + np.eye(64)
    inner = np.linalg.solve(feed, np.linalg.solve(feed, beside).T)
    assert np.abs(inner - np.diag(np.diagonal(inner))).max() < 1e-3
    assert (np.diagonal(inner) > 0).all()
    assert (np.diff(block.scale) <= 0).all()


def test_moments_of_columns_that_saw_nothing_can_be_factored() -> None:
    block = prepared(np.zeros((32, 32), np.float32))
    assert np.isfinite(block.scale).all()
    assert (block.feed == 0).all()
