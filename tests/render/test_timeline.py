"""Timelines: places and heights are to scale, the limit and the moments stand where they belong."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.render.document import Mark, Timeline, Trace
from memfit.render.drawing.cells import ASCII, BLOCKS, Line
from memfit.render.drawing.characters import draw
from memfit.render.drawing.scale import amount_text, even_ticks, time_text, time_ticks
from memfit.render.drawing.svg import draw_vector
from memfit.units import GIB, MIB


def timeline(**more: object) -> Timeline:
    """Eight steps of 100 MiB in eight seconds, with 400 MiB beside them, against 1600 MiB."""
    given: dict[str, object] = {
        "title": "t",
        "description": "d",
        "traces": (
            Trace(
                name="up",
                at_s=tuple(map(float, range(9))),
                values=tuple(step * 100.0 * MIB for step in range(9)),
                leading=True,
            ),
            Trace(name="flat", at_s=(0.0, 8.0), values=(400.0 * MIB, 400.0 * MIB)),
        ),
        "marks": (Mark(name="loaded", at_s=2.0), Mark(name="done", at_s=8.0)),
        "limit": 1600.0 * MIB,
    }
    return Timeline(**(given | more))  # type: ignore[arg-type]


def texts(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def test_the_area_is_to_scale() -> None:
    # 5 cells of names, 11 of figures, 1 between: 47 cells for 8 s
    shown = texts(draw(timeline(), 64, BLOCKS))
    area = shown[:8]
    limit = next(row for row in shown if row.startswith("limit"))
    assert limit.endswith("1.56 GiB")
    assert limit is shown[0]
    filled = [sum(row[6 + column] != " " for row in area[1:]) for column in (0, 12, 23, 34, 46)]
    assert filled == sorted(filled)
    assert filled[-1] == 4  # 800 of 1600 MiB are half of eight rows
    assert next(row for row in area if row.startswith("   up")).endswith("800.0 MiB")


def test_another_trace_is_on_the_same_scale() -> None:
    shown = texts(draw(timeline(), 64, BLOCKS))
    flat = next(row for row in shown if row.startswith(" flat"))
    assert flat.split()[1] == "▂" * 47  # 400 of 1600 MiB are two eighths
    assert flat.endswith("400.0 MiB")


def test_moments_have_a_letter_in_their_place_and_a_name() -> None:
    shown = texts(draw(timeline(), 64, BLOCKS))
    axis = shown[-2]
    assert axis.index("a") == 6 + 47 * 2 // 8
    assert axis.index("b") == 6 + 46
    assert axis.endswith("8 s")
    assert shown[-1] == "a loaded 2 s   b done 8 s"


def test_moments_in_one_place_show_the_first() -> None:
    marks = tuple(Mark(name=f"round {number}", at_s=4.0 + number / 1000) for number in range(30))
    shown = texts(draw(timeline(marks=marks), 64, BLOCKS))
    assert shown[-1] == "a round 0 4 s"


def test_a_limit_beside_the_peak_leaves_both_readable() -> None:
    for limit in (800.0 * MIB, 799.0 * MIB, 1.0, 10_000.0 * MIB):
        shown = texts(draw(timeline(limit=limit), 64, BLOCKS))
        assert sum(row.startswith("limit") for row in shown) == 1
        assert sum(row.startswith("   up") for row in shown) == 1


def test_ascii_has_no_other_sign() -> None:
    assert all(row.isascii() for row in texts(draw(timeline(), 80, ASCII)))


def test_a_timeline_without_figures_is_empty() -> None:
    empty = timeline(traces=(Trace(name="x", at_s=(), values=()),), marks=(), limit=None)
    assert draw(empty, 80, BLOCKS) == []
    assert draw_vector(empty, 760, "k").height > 0


def test_gaps_hold_the_last_figure_and_the_end_stays_empty() -> None:
    early = Trace(name="early", at_s=(0.0, 4.0), values=(8.0, 8.0))
    late = Trace(name="late", at_s=(0.0, 8.0), values=(1.0, 8.0), leading=True)
    shown = texts(draw(timeline(traces=(late, early), unit="count", limit=None, marks=()), 64, BLOCKS))
    row = next(row for row in shown if row.startswith("early"))
    cells = row[6 : 6 + 47]
    assert cells.count("█") == pytest.approx(23.5, abs=1)
    assert " " not in cells.rstrip()


def test_vectors_are_to_scale() -> None:
    body = draw_vector(timeline(), 760, "k").body
    root = ET.fromstring(f"<svg>{body}</svg>")
    leading = next(path for path in root.iter("path") if path.get("class") == "line-ink" and "L" in path.attrib["d"])
    places = [tuple(map(float, pair.split())) for pair in re.split("[ML]", leading.attrib["d"])[1:]]
    steps = [after[0] - before[0] for before, after in itertools.pairwise(places)]
    rises = [before[1] - after[1] for before, after in itertools.pairwise(places)]
    assert max(steps) - min(steps) < 0.05
    assert max(rises) - min(rises) < 0.05
    limit = next(line for line in root.iter("line") if line.get("class") == "limit")
    assert places[0][1] - float(limit.attrib["y1"]) == pytest.approx(16 * rises[0], abs=0.2)
    mark = next(path for path in root.iter("path") if path.get("class") == "join")
    assert float(mark.attrib["d"][1:].split()[0]) == pytest.approx(places[2][0], abs=0.02)


def test_lines_differ_without_colour() -> None:
    many = tuple(Trace(name=str(number), at_s=(0.0, 1.0), values=(1.0, 2.0)) for number in range(5))
    body = draw_vector(timeline(traces=many), 760, "k").body
    lines = re.findall(r'class="(line-[a-z]+)" stroke-width="([0-9.]+)"(?: stroke-dasharray="([0-9 ]+)")? d=', body)
    assert len(set(lines)) == len(many)


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (1.25 * GIB, "bytes", "1.25 GiB"),
        (4968, "mw", "4.97 W"),
        (48.906, "c", "48.9 °C"),
        (1_728_000_000, "hz", "1.73 GHz"),
        (0.99, "ratio", "99.0 %"),
        (3, "count", "3"),
        (2.5, "count", "2.50"),
        (0, "mw", "0 W"),
        (21.53, "tokens_per_s", "21.5 tokens/s"),
        (7, "pages", "7 pages"),
        (46, "c", "46 °C"),
    ],
)
def test_amounts_as_people_write_them(amount: float, unit: str, text: str) -> None:
    assert amount_text(amount, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.3561, "0.4 s"), (12.5, "12.5 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_times(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_the_labels_of_an_axis_have_one_unit() -> None:
    assert [label for _, label in time_ticks(150, 6)] == ["0 min", "0.5 min", "1 min", "1.5 min", "2 min", "2.5 min"]
    assert time_ticks(700, 6)[1] == (120, "2 min")
    assert time_ticks(0.7, 6)[1] == (0.2, "0.2 s")


@given(st.floats(1e-3, 1e13), st.integers(3, 10))
def test_even_ticks_are_round_and_few(top: float, most: int) -> None:
    found = even_ticks(top, most)
    assert found[0] == 0
    assert 2 <= len(found) <= most + 1
    assert found[-1] <= top * 1.0001
    assert f"{found[1]:.0e}"[0] in "125"


@pytest.mark.parametrize("top", [0.0, -1.0, 5e-324, 1e-310, float("nan")])
def test_what_is_nothing_has_one_tick(top: float) -> None:
    assert even_ticks(top, 6) == (0.0,)
