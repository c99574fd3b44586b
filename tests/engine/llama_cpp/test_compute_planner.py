"""ggml's planner, in Python: where buffers go, and how far they reach."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.engine._llama_cpp.allocator import ALIGNMENT_BYTES, Planner


def test_sizes_are_rounded_up_to_the_alignment() -> None:
    planner = Planner()
    assert planner.take(1) == 0
    assert planner.take(33) == 32
    assert planner.peak_bytes == 32 + 64


def test_the_smallest_hole_that_fits_is_taken_and_not_the_first() -> None:
    planner = Planner()
    large, _, small, _ = (planner.take(size) for size in (320, 32, 96, 32))
    planner.give_back(large, 320)
    planner.give_back(small, 96)
    assert planner.take(64) == small


def test_of_two_equal_holes_the_higher_is_taken() -> None:
    planner = Planner()
    first, _, second, _ = (planner.take(size) for size in (96, 32, 96, 32))
    planner.give_back(first, 96)
    planner.give_back(second, 96)
    assert planner.take(96) == second


def test_the_end_is_extended_only_when_no_hole_fits() -> None:
    planner = Planner()
    first, _ = planner.take(96), planner.take(32)
    planner.give_back(first, 96)
    assert planner.take(128) == 128
    assert planner.peak_bytes == 256


def test_holes_beside_each_other_become_one() -> None:
    planner = Planner()
    one, two, three, _ = (planner.take(size) for size in (32, 64, 32, 32))
    for offset, size in ((one, 32), (three, 32), (two, 64)):
        planner.give_back(offset, size)
    assert planner.take(128) == one


def test_a_buffer_of_no_bytes_leaves_a_hole_that_joins_what_is_freed_there() -> None:
    # ggml asks "does a hole end here" first: the empty hole at 0 grows, and does not stay in the way of its neighbours
    planner = Planner()
    a, b, _ = planner.take(64), planner.take(64), planner.take(32)
    planner.give_back(a, 64)
    empty = planner.take(0)
    a = planner.take(64)
    planner.give_back(empty, 0)
    planner.give_back(a, 64)
    planner.give_back(b, 64)
    assert planner.take(128) == a == 0


def test_going_back_to_a_state_forgets_what_came_after_but_not_the_peak() -> None:
    planner = Planner()
    planner.take(64)
    state = planner.state()
    planner.take(640)
    planner.restore(state, 128)
    assert planner.take(32) == 64
    assert planner.peak_bytes == 704


class _Model:
    """The planner by its definition: all free bytes in one list, no bookkeeping of holes."""

    def __init__(self) -> None:
        self.live: dict[int, int] = {}

    def holes(self) -> list[tuple[int, int]]:
        found, end = [], 0
        for offset, size in sorted(self.live.items()):
            if offset > end:
                found.append((end, offset - end))
            end = offset + size
        return found

    def end(self) -> int:
        return max((offset + size for offset, size in self.live.items()), default=0)

    def expected(self, size: int) -> int:
        fitting = [(hole, -offset) for offset, hole in self.holes() if hole >= size]
        return -min(fitting)[1] if fitting else self.end()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 2000), st.integers(-10, -1)), max_size=60))
def test_every_buffer_goes_to_the_best_hole_and_none_overlap(steps: list[int]) -> None:
    planner, model = Planner(), _Model()
    peak = 0
    for step in steps:
        if step < 0:
            if model.live:
                offset = sorted(model.live)[-step % len(model.live)]
                planner.give_back(offset, model.live.pop(offset))
            continue
        size = -(-step // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        offset = planner.take(step)
        assert offset == model.expected(size)
        model.live[offset] = size
        peak = max(peak, offset + size)
    assert planner.peak_bytes == peak


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33])
def test_what_is_given_back_can_be_taken_again_at_once(size: int) -> None:
    planner = Planner()
    planner.give_back(planner.take(size), size)
    assert planner.take(64) == 0
