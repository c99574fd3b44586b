"""Series of bounded length keep what matters."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from memfit.measure._track import Track, thinned

FIGURES = st.lists(st.floats(0, 1e12), min_size=1, max_size=300)


@given(FIGURES, st.integers(4, 40))
def test_peak_and_trough_survive_any_length(figures: list[float], most: int) -> None:
    track = Track(1, most)
    for index, figure in enumerate(figures):
        track.add(index, figure)
    assert len(track) <= most
    column = track.column(0)
    assert max(column) == max(figures)
    assert min(column) == min(figures)
    assert column[-1] == figures[-1]


@given(FIGURES, st.integers(4, 40))
def test_a_shortened_copy_is_in_order_and_leaves_the_track(figures: list[float], most: int) -> None:
    track = Track(1, 1000)
    for index, figure in enumerate(figures):
        track.add(index, figure)
    short = track.shortened(most)
    assert len(short) <= most
    assert len(track) == len(figures)
    assert list(short.times()) == sorted(set(short.times()))
    assert max(short.column(0)) == max(figures)
    assert all(figures[int(at_s)] == figure for at_s, figure in zip(short.times(), short.column(0), strict=True))


def test_rows_stay_together() -> None:
    track = Track(2, 8)
    for index in range(100):
        track.add(index / 10, index, 1000 - index)
    assert all(first + second == 1000 for _, first, second in track.rows())
    assert all(round(at_s * 10) == first for at_s, first, _ in track.rows())


def test_what_was_not_read_stays_unknown() -> None:
    track = Track(2, 100)
    track.add(0.0, 1, None)
    ((_, first, second),) = track.rows()
    assert first == 1
    assert math.isnan(second)


def test_every_byte_is_kept() -> None:
    track = Track(1, 4)
    track.add(0.0, 2**53 - 1)
    assert int(track.column(0)[0]) == 2**53 - 1


def test_a_flat_stretch_keeps_its_ends() -> None:
    assert thinned([5.0] * 8) == [0, 3, 4, 7]
    assert thinned([1.0, 9.0, 2.0, 3.0]) == [0, 1, 3]
    assert thinned([math.nan] * 4) == [0, 3]
    assert thinned([]) == []
