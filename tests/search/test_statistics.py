"""Means and their confidence."""

from __future__ import annotations

import math
import random

import pytest

from memfit.engine.predictions import Scored, Window
from memfit.search.statistics import mcnemar, mean, quality, student


def test_intervals_hold_the_mean_about_as_often_as_they_say() -> None:
    draw = random.Random(5)
    held = 0
    for _ in range(400):
        sums = [sum(draw.expovariate(1.0) for _ in range(50)) for _ in range(12)]
        _, (low, high) = mean(sums, [50] * 12)
        held += low <= 1.0 <= high
    assert 0.91 <= held / 400 <= 0.98


def test_one_window_says_nothing_about_its_error() -> None:
    assert mean([3.0], [10]) == (0.3, (-math.inf, math.inf))


def test_student_meets_the_table_at_both_its_ends() -> None:
    assert student(1) == 12.706
    assert student(30) == 2.042
    assert student(60) == pytest.approx(2.000, abs=0.002)
    assert student(10_000) == pytest.approx(1.96, abs=0.001)


def test_mcnemar_is_the_binomial_one() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 / 2**10)
    assert mcnemar(1, 8) == pytest.approx(2 * (1 + 9) / 2**9)


def test_quality_pairs_windows_so_that_hard_text_does_not_widen_the_difference() -> None:
    windows = tuple(
        Window(window=n, tokens=100, nats=100.0 * n + 1, base_nats=100.0 * n, divergence=2.0, agree=90)
        for n in range(1, 7)
    )
    found = quality(Scored(windows=windows, p99=0.5))
    assert found.kl_mean == pytest.approx(0.02)
    assert found.kl_ci95 == pytest.approx((0.02, 0.02))
    assert found.top1 == pytest.approx(0.9)
    assert found.perplexity_ratio_ci95 == pytest.approx((math.exp(0.01), math.exp(0.01)))
    assert found.perplexity_ci95[1] > 2 * found.perplexity  # the texts themselves differ


def test_without_a_base_there_is_only_perplexity() -> None:
    found = quality(Scored(windows=(Window(window=0, tokens=10, nats=20.0), Window(window=1, tokens=10, nats=22.0))))
    assert found.perplexity == pytest.approx(math.exp(2.1))
    assert found.kl_mean is None
    assert found.top1 is None
