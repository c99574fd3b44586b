"""Leaks are found in noise, and none is seen where there is none: by simulation, with fixed seeds."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.measure.growth import HEAP_STEP_BYTES, growth, growth_of
from memfit.measure.records import Phase
from memfit.units import GIB, KIB, MIB

ROUNDS = 60
BASE = 900 * MIB
Curve = Callable[[random.Random], list[int]]


def noisy(rounds: int = ROUNDS, *, leak: float = 0, noise: float = 0, base: int = BASE) -> Curve:
    def curve(dice: random.Random) -> list[int]:
        return [int(base + leak * index + dice.gauss(0, noise)) for index in range(rounds)]

    return curve


def warming(dice: random.Random) -> list[int]:
    """A heap that fills its free lists: most at the start, then less and less."""
    return [int(BASE - 40 * MIB * 0.7**index + dice.gauss(0, 8 * KIB)) for index in range(ROUNDS)]


def sawtooth(dice: random.Random, period: int = 9, rounds: int = ROUNDS) -> list[int]:
    """A cache that is emptied when it is full."""
    phase = dice.randrange(period)
    return [BASE + 256 * KIB * ((index + phase) % period) for index in range(rounds)]


def step(dice: random.Random) -> list[int]:
    """Something was loaded once, late."""
    late = dice.randrange(ROUNDS // 4, 3 * ROUNDS // 4)
    return [BASE + 8 * MIB * (index >= late) + dice.randrange(4) * 4 * KIB for index in range(ROUNDS)]


def spikes(dice: random.Random) -> list[int]:
    return [BASE + (dice.randrange(200) * MIB if dice.random() < 0.2 else 0) for _ in range(ROUNDS)]


def wandering(dice: random.Random) -> list[int]:
    """Noise that remembers: each round is half of the one before."""
    held, curve = 0.0, []
    for _ in range(ROUNDS):
        held = 0.5 * held + dice.gauss(0, 200 * KIB)
        curve.append(int(BASE + held))
    return curve


def share_that_leaks(curve: Curve, times: int = 60) -> float:
    return sum(growth(curve(random.Random(seed))).leaks for seed in range(times)) / times


@pytest.mark.parametrize(("noise", "share"), [(0, 1), (64 * KIB, 1), (256 * KIB, 1), (512 * KIB, 0.95)])
def test_a_leak_of_64_kib_a_round_is_found_in_noise(noise: int, share: float) -> None:
    assert share_that_leaks(noisy(leak=64 * KIB, noise=noise)) >= share


def test_it_is_found_behind_a_warm_up_and_the_slope_is_right() -> None:
    for seed in range(40):
        curve = [size + 64 * KIB * index for index, size in enumerate(warming(random.Random(seed)))]
        found = growth(curve)
        assert found.leaks
        assert found.warm_up_bytes == pytest.approx(40 * MIB, rel=0.15)
        assert found.bytes_per_round == pytest.approx(64 * KIB, rel=0.02)


def test_the_interval_holds_the_slope_in_95_of_100() -> None:
    found = [growth(noisy(leak=64 * KIB, noise=64 * KIB)(random.Random(seed))) for seed in range(300)]
    right = sum(one.low_bytes_per_round <= 64 * KIB <= one.high_bytes_per_round for one in found)
    assert 0.91 <= right / 300 <= 0.99


@pytest.mark.parametrize("curve", [warming, sawtooth, step, spikes], ids=lambda curve: curve.__name__)
def test_what_comes_and_goes_or_settles_is_no_leak(curve: Curve) -> None:
    assert share_that_leaks(curve) == 0


@pytest.mark.parametrize("noise", [0, 4 * KIB, 2 * MIB])
def test_a_plateau_is_no_leak(noise: int) -> None:
    # the interval is right for 39 of 40, and the rise must also be more than what lies beside the line
    assert share_that_leaks(noisy(noise=noise), times=200) == 0


def test_noise_that_remembers_is_hardly_ever_one() -> None:
    assert share_that_leaks(wandering, times=200) <= 0.01


@pytest.mark.parametrize(("rounds", "period"), [(60, 7), (60, 13), (120, 20), (24, 5), (40, 16)])
def test_teeth_of_any_width_are_no_leak(rounds: int, period: int) -> None:
    assert share_that_leaks(lambda dice: sawtooth(dice, period, rounds)) == 0


def test_a_shrinking_process_is_no_leak() -> None:
    found = growth(noisy(leak=-64 * KIB, noise=16 * KIB)(random.Random(1)))
    assert not found.leaks
    assert found.high_bytes_per_round < 0


@pytest.mark.parametrize("kib", [(0, 0, 0, 4, 4, 8, 8, 8, 8, 12, 12, 12), (0, 0, 0, 4, 4, 8, 8, 12, 12, 16, 16, 16)])
def test_a_heap_that_touches_a_page_now_and_then_is_no_leak(kib: tuple[int, ...]) -> None:
    # of real runs, at the end of each of twelve rounds
    assert not growth([BASE + each * KIB for each in kib]).leaks


@pytest.mark.parametrize("rounds", [24, 60, 200, 1000])
def test_what_stays_below_one_step_of_a_heap_is_no_leak_however_steady(rounds: int) -> None:
    rise = 0.9 * HEAP_STEP_BYTES / rounds
    assert not growth([in_pages(BASE + rise * index) for index in range(rounds)]).leaks


def test_a_leak_of_a_few_words_a_round_is_found_in_a_long_soak() -> None:
    # nodes of a map that nobody freed: 224 bytes a round, a page every eighteen of them
    found = growth([in_pages(BASE + 224 * index) for index in range(1000)])
    assert found.leaks
    assert found.bytes_per_round == pytest.approx(224, rel=0.02)


def in_pages(size: float) -> int:
    return int(size) // (4 * KIB) * 4 * KIB


def test_few_rounds_tell_a_slope_and_no_leak() -> None:
    found = growth([BASE + index * MIB for index in range(5)])
    assert found.bytes_per_round == MIB
    assert not found.leaks


def test_many_rounds_are_thinned_and_the_slope_is_still_a_round() -> None:
    found = growth(noisy(5000, leak=1 * KIB, noise=16 * KIB)(random.Random(3)))
    assert found.rounds == 5000
    assert found.leaks
    assert found.bytes_per_round == pytest.approx(KIB, rel=0.05)


def test_a_steady_leak_from_the_first_round_is_no_warm_up() -> None:
    found = growth([BASE + 64 * KIB * index for index in range(30)])
    assert found.warm_up_bytes == 0
    assert (found.bytes_per_round, found.low_bytes_per_round) == (64 * KIB, 64 * KIB)


@given(st.lists(st.integers(min_value=0, max_value=8 * GIB), min_size=3, max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_rounds_give_an_ordered_answer(held: list[int]) -> None:
    found = growth(held)
    assert found.low_bytes_per_round <= found.bytes_per_round <= found.high_bytes_per_round
    assert found.rounds == len(held)


def phase(name: str, anonymous: int, swapped: int = 0, file: int = 0) -> Phase:
    return Phase(
        name=name,
        at_s=0,
        pss_bytes=anonymous + file,
        anonymous_bytes=anonymous,
        file_bytes=file,
        swapped_bytes=swapped,
    )


def test_only_rounds_count_and_swap_does_not_hide_a_leak() -> None:
    rounds = [phase(f"round {index}", BASE, swapped=64 * KIB * index, file=index * MIB) for index in range(1, 21)]
    found = growth_of([phase("started", 0), phase("loaded", BASE), *rounds])
    assert found is not None
    assert found.rounds == 20
    assert found.leaks
    assert found.bytes_per_round == 64 * KIB


def test_of_a_long_soak_every_eighth_round_is_enough() -> None:
    rounds = [phase(f"round {index}", BASE + KIB * index) for index in range(8, 808, 8)]
    found = growth_of(rounds)
    assert found is not None
    assert found.rounds == 800
    assert found.bytes_per_round == KIB
    assert found.leaks


def test_without_rounds_there_is_nothing_to_say() -> None:
    assert growth_of([phase("loaded", BASE), phase("round 1", BASE), phase("round 2", BASE)]) is None
