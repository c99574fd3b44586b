"""Spots by size and figure: each is there, names do not cover each other, and nothing lies outside."""

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memfit.render.document import Scatter, Spot
from memfit.render.drawing.cells import ASCII, BLOCKS
from memfit.render.drawing.characters import draw
from memfit.render.drawing.scale import text_width
from memfit.render.drawing.svg import draw_vector
from memfit.units import GIB, MIB


def picture(*spots: tuple[str, float, float]) -> Scatter:
    return Scatter(
        title="Memory against speed",
        description="made up",
        spots=tuple(
            Spot(name=name, bytes=int(size * GIB), value=value, low=value * 0.8, high=value * 1.25, tone="ok")
            for name, size, value in spots
        ),
        value_name="tokens/s",
        limit_bytes=6 * GIB,
        limit_name="free",
    )


THREE = picture(("small", 1, 60), ("middle", 3, 20), ("large", 5.5, 9))


def text_of(width: int = 80, *, ascii: bool = False) -> str:
    lines = draw(THREE, width, ASCII if ascii else BLOCKS)
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def test_every_spot_has_a_letter_and_the_letters_are_told() -> None:
    text = text_of()
    assert "A small   B middle   C large" in text
    for letter in "ABC":
        assert len(re.findall(rf"\b{letter}\b", text)) == 2
    rows = text.splitlines()
    places = {
        letter: next((y, row.index(letter)) for y, row in enumerate(rows[1:15]) if letter in row) for letter in "ABC"
    }
    assert places["A"][0] < places["B"][0] < places["C"][0]  # the fastest on top
    assert places["A"][1] < places["B"][1] < places["C"][1]  # the smallest on the left


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("ascii", [True, False])
def test_characters_keep_to_their_width(width: int, *, ascii: bool) -> None:
    text = text_of(width, ascii=ascii)
    assert all(len(line) <= width for line in text.splitlines())
    assert text.isascii() == ascii


def test_vectors_name_what_there_is_room_for_and_tell_the_rest() -> None:
    drawn = draw_vector(THREE, 700, "k").body
    for name in ("small", "middle", "large"):
        assert f">{name}<" in drawn
        assert f"{name}: " in drawn  # where one points at it
    crowd = picture(*((f"model number {index}", 2, 20) for index in range(30)))
    drawn = draw_vector(crowd, 700, "k").body
    assert 1 <= len(re.findall(r">model number \d+<", drawn)) < 10
    assert len(re.findall(r"model number \d+: ", drawn)) == 30


def test_without_spots_there_is_no_picture() -> None:
    assert draw(picture(), 80, BLOCKS) == []


@given(
    st.lists(
        st.tuples(
            st.text(max_size=30),
            st.floats(0, 1000),
            st.floats(0, 10_000),
        ),
        max_size=60,
    )
)
@example([("", 0.0, 0.001953125)])
def test_any_figures_can_be_drawn(spots: list[tuple[str, float, float]]) -> None:
    made = picture(*spots)
    draw_vector(made, 700, "k")
    for line in draw(made, 60, BLOCKS):
        assert len("".join(span.text for span in line)) <= 60


def test_a_limit_beyond_all_spots_is_inside() -> None:
    drawn = draw_vector(THREE, 700, "k").body
    assert f"free {6 * GIB // MIB / 1024:.2f} GiB" in drawn


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("limit", [0.4, 1.5, 3.2, 6])
def test_no_spot_lies_under_the_limits_name_or_at_the_upper_edge(limit: float, *, log: bool) -> None:
    spots = [(f"IQ{index}", 1.2 + 0.2 * index, 60 / 1.2**index) for index in range(12)]
    made = msgspec.structs.replace(picture(*spots), limit_bytes=int(limit * GIB), log_value=log)
    drawn = draw_vector(made, 700, "k").body
    words = re.findall(r'<text class="([^"]*)" x="([\d.-]+)" y="([\d.]+)"([^>]*)>([^<]*)<', drawn)
    (name,) = [one for one in words if one[4].startswith("free ")]
    figure = next(one for one in words if one[4] == "tokens/s")
    assert "end" not in name[3]
    assert float(name[1]) > float(figure[1]) + text_width(figure[4], 11.5)
    assert float(name[1]) + text_width(name[4], 11.5) <= 700
    tops = [float(one) - 5 for one in re.findall(r'd="M[\d.]+ ([\d.]+)a5 ', drawn)]
    tops += [float(one[2]) - 11 for one in words if one[4].startswith("IQ")]
    assert len(tops) > len(spots)  # names among them
    assert min(tops) > float(name[2])
