"""The integer program, against trying everything."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from memfit.search.solve import Option, least_bytes, least_divergence

pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")


def drawn(seed: int, tensors: int = 5, formats: int = 5) -> list[list[Option]]:
    draw = random.Random(seed)
    choices = []
    for _ in range(tensors):
        size, weight = draw.randrange(10**4, 10**6), draw.random()
        choices.append(
            [
                Option(
                    format=str(bits), bytes=size * bits // 8, divergence=weight * 4.0**-bits * draw.uniform(0.7, 1.3)
                )
                for bits in range(2, 2 + formats)
            ]
        )
    return choices


def sums(found: list[Option]) -> tuple[int, float]:
    return sum(one.bytes for one in found), sum(one.divergence for one in found)


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_trying_everything_finds(seed: int) -> None:
    choices = drawn(seed)
    every = [sums(list(one)) for one in itertools.product(*choices)]
    budget = sorted(size for size, _ in every)[len(every) // 3]
    found = least_divergence(choices, budget)
    assert found is not None
    assert sums(found)[0] <= budget
    assert sums(found)[1] <= min(lost for size, lost in every if size <= budget) * 1.001
    floor = sums(found)[1] * 1.0001
    fewest = least_bytes(choices, floor)
    assert fewest is not None
    assert sums(fewest)[1] <= floor * (1 + 1e-6)
    assert sums(fewest)[0] <= min(size for size, lost in every if lost <= floor) * 1.001


def test_what_cannot_be_is_none() -> None:
    choices = drawn(1)
    assert least_divergence(choices, sum(min(one.bytes for one in options) for options in choices) - 1) is None
    assert least_bytes(choices, sum(min(one.divergence for one in options) for options in choices) * 0.99) is None


def test_the_smallest_file_is_still_found() -> None:
    choices = drawn(2)
    least = sum(min(one.bytes for one in options) for options in choices)
    found = least_divergence(choices, least)
    assert found is not None
    assert sums(found)[0] == least


def test_the_solver_says_nothing_on_standard_output() -> None:
    """Its banner would stand in the middle of --json."""
    program = (
        "from memfit.search.solve import Option, least_divergence\n"
        "x = [[Option(format='a', bytes=9, divergence=1.0), Option(format='b', bytes=20, divergence=0.1)]]\n"
        "least_divergence(x, 15)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == ""
