"""Pictures: lengths are to scale, nothing leaves the frame, odd inputs draw."""

from __future__ import annotations

import itertools
import re
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import CURVE, FITS

from memfit.errors import MemfitError, UsageError
from memfit.footprint.records import Curve
from memfit.render import Document, find_view, render
from memfit.render.document import (
    CurvePlot,
    Headline,
    Mark,
    MemoryMap,
    Picture,
    Point,
    Role,
    Segment,
    Series,
    Step,
    Timeline,
    Tone,
    Trace,
    Waterfall,
)
from memfit.render.drawing.cells import ASCII, BLOCKS, cell_width, fit
from memfit.render.drawing.characters import draw
from memfit.render.drawing.scale import apportion, tick_text, ticks
from memfit.render.drawing.svg import draw_vector
from memfit.units import GIB, MIB

sizes = st.integers(0, 2**44)
names = st.text(max_size=30)
tones: st.SearchStrategy[Tone] = st.sampled_from(["ok", "warn", "bad", "neutral"])


@st.composite
def steps(draw_from: st.DrawFn) -> Step:
    low, likely, high = sorted(draw_from(st.tuples(sizes, sizes, sizes)))
    evictable = draw_from(st.integers(0, high))
    return Step(
        name=draw_from(names),
        low_bytes=low,
        likely_bytes=likely,
        high_bytes=high,
        evictable_bytes=evictable,
        tone=draw_from(tones),
        observed_bytes=draw_from(st.none() | sizes),
    )


waterfalls = st.builds(
    Waterfall,
    title=names,
    description=names,
    steps=st.lists(steps(), max_size=8).map(tuple),
    totals=st.lists(steps(), max_size=2).map(tuple),
    capacity_bytes=st.none() | sizes,
    capacity_name=names,
)
roles: st.SearchStrategy[Role] = st.sampled_from(["system", "use", "free"])
maps = st.builds(
    MemoryMap,
    title=names,
    description=names,
    segments=st.lists(st.builds(Segment, name=names, bytes=sizes, role=roles), max_size=30).map(tuple),
    total_bytes=sizes,
    total_name=names,
)


@st.composite
def curve_plots(draw_from: st.DrawFn) -> CurvePlot:
    count = draw_from(st.integers(0, 9))
    values = st.lists(sizes, min_size=count, max_size=count).map(tuple)
    lows = draw_from(values)
    return CurvePlot(
        title="t",
        description="d",
        x_name=draw_from(names),
        points=tuple(
            Point(x=draw_from(st.integers(0, 10**6)), label=draw_from(names), tone=draw_from(tones), verdict="v")
            for _ in range(count)
        ),
        series=(
            Series(name="band", bytes=lows, band_low_bytes=lows, band_high_bytes=draw_from(values)),
            Series(name="leading", bytes=draw_from(values), leading=True),
        ),
        limit_bytes=draw_from(st.none() | sizes),
        log_x=draw_from(st.booleans()),
    )


moments = st.floats(0, 1e6)
figures = st.floats(-300, 1e13)


@st.composite
def traces(draw_from: st.DrawFn) -> Trace:
    at_s = sorted(draw_from(st.lists(moments, max_size=40)))
    values = draw_from(st.lists(figures, min_size=len(at_s), max_size=len(at_s)))
    return Trace(name=draw_from(names), at_s=tuple(at_s), values=tuple(values), leading=draw_from(st.booleans()))


timelines = st.builds(
    Timeline,
    title=names,
    description=names,
    traces=st.lists(traces(), max_size=5).map(tuple),
    marks=st.lists(st.builds(Mark, name=names, at_s=moments), max_size=40).map(tuple),
    unit=st.sampled_from(["bytes", "mw", "c", "hz", "ratio", "count", "tokens_per_s"]),
    limit=st.none() | st.floats(0, 1e13),
    limit_name=names,
)
pictures: st.SearchStrategy[Picture] = st.one_of(waterfalls, maps, curve_plots(), timelines)


@given(pictures, st.integers(40, 120), st.sampled_from([BLOCKS, ASCII]))
def test_characters_stay_in_their_width(picture: Picture, width: int, glyphs: object) -> None:
    lines = draw(picture, width, glyphs)  # type: ignore[arg-type]
    for line in lines:
        assert cell_width("".join(span.text for span in line)) <= width


@given(pictures, st.sampled_from([340.0, 760.0]))
def test_vectors_are_well_formed_and_inside(picture: Picture, width: float) -> None:
    drawing = draw_vector(picture, width, "p0")
    root = ET.fromstring(f"<svg>{drawing.body}</svg>")
    for rect in root.iter("rect"):
        left, length = float(rect.attrib["x"]), float(rect.attrib["width"])
        assert left >= -0.01
        assert left + length <= width + 2
        assert 0 <= float(rect.attrib["y"]) <= drawing.height
    for text in root.iter("text"):
        assert 0 <= float(text.attrib["y"]) <= drawing.height
    shapes = re.sub("<text.*?</text>|<title>.*?</title>", "", drawing.body)
    assert "nan" not in shapes
    assert "inf" not in shapes


@given(st.lists(st.integers(0, 10**13), max_size=20).map(tuple), st.integers(1, 120))
def test_apportion_gives_out_every_cell(parts: tuple[int, ...], cells: int) -> None:
    given_out = apportion(parts, cells)
    assert sum(given_out) == (cells if any(parts) else 0)
    assert all(count == 0 for count, part in zip(given_out, parts, strict=True) if not part)
    if sum(1 for part in parts if part) <= cells:
        assert all(count for count, part in zip(given_out, parts, strict=True) if part)


def test_apportion_is_fair() -> None:
    assert apportion((50, 25, 25), 8) == (4, 2, 2)
    assert apportion((10**12, 1, 1), 10) == (8, 1, 1)
    assert apportion((5, 5, 5, 5), 2).count(1) == 2


@given(st.integers(1, 2**45), st.integers(2, 10))
def test_ticks_are_round_and_few(top: int, most: int) -> None:
    found = ticks(top, most)
    assert found[0] == 0
    assert len(found) <= most + 1
    assert found[-1] <= top
    if len(found) > 1:
        assert found[1].bit_count() == 1


def test_tick_labels() -> None:
    assert [tick_text(size) for size in (0, 512 * MIB, 1536 * MIB, 8 * GIB)] == ["0", "512 MiB", "1.5 GiB", "8 GiB"]


@given(st.text(max_size=40), st.integers(0, 30))
def test_fit_is_exact(text: str, cells: int) -> None:
    assert cell_width(fit(text, cells, "…")) == cells


def waterfall_of_three() -> Waterfall:
    step = Step(name="a", low_bytes=MIB, likely_bytes=2 * MIB, high_bytes=4 * MIB, evictable_bytes=MIB)
    other = Step(name="b", low_bytes=4 * MIB, likely_bytes=4 * MIB, high_bytes=4 * MIB)
    total = Step(name="sum", low_bytes=8 * MIB, likely_bytes=8 * MIB, high_bytes=8 * MIB, tone="ok")
    return Waterfall(
        title="t", description="d", steps=(step, other), totals=(total,), capacity_bytes=16 * MIB, capacity_name="limit"
    )


def test_character_bars_are_to_scale() -> None:
    # 3 cells of names, 11 of figures, 2 between: 48 cells for 16 MiB, 3 a MiB
    rows = ["".join(span.text for span in line) for line in draw(waterfall_of_three(), 64, BLOCKS)]
    assert rows[0].startswith("a   ▒▒▒███░░░░░░ ")
    assert rows[1].startswith("b   " + " " * 12 + "█" * 12 + " ")
    assert rows[2].startswith("sum " + "█" * 24 + " ")
    assert all(row[4 + 47] == "│" for row in rows[:3])
    assert rows[0].endswith("4.0 MiB")


def test_vector_bars_are_to_scale() -> None:
    root = ET.fromstring(f"<svg>{draw_vector(waterfall_of_three(), 760, 'k').body}</svg>")
    drawn = [rect for rect in root.iter("rect") if rect.find("title") is not None]  # a legend's swatches have none
    bars = {kind: [rect for rect in drawn if rect.get("class") == kind] for kind in ("use", "pale", "ok")}
    unit = float(bars["use"][0].attrib["width"])  # from 1 to 2 MiB: what is likely and not evictable
    assert float(bars["pale"][0].attrib["width"]) == pytest.approx(2 * unit, abs=0.05)
    assert float(bars["use"][1].attrib["width"]) == pytest.approx(4 * unit, abs=0.05)
    assert float(bars["ok"][0].attrib["width"]) == pytest.approx(8 * unit, abs=0.05)
    limit = next(line for line in root.iter("line") if line.get("class") == "limit")
    start = float(bars["ok"][0].attrib["x"])
    assert float(limit.attrib["x1"]) - start == pytest.approx(16 * unit, abs=0.1)


def test_curve_points_are_evenly_spaced_when_they_double() -> None:
    picture = find_view(Curve).document(CURVE).pictures()[0]
    body = draw_vector(picture, 760, "k").body
    xs = [float(x) for x in re.findall(r'<line class="rule" x1="([0-9.]+)" y1="[0-9.]+" x2="\1"', body)]
    gaps = [after - before for before, after in itertools.pairwise(xs)]
    assert len(gaps) == len(CURVE.points) - 1
    assert max(gaps) - min(gaps) < 0.05


def test_every_tone_has_its_own_shape() -> None:
    def shape(tone: Tone) -> str:
        plot = CurvePlot(
            title="t", description="d", x_name="x",
            points=(Point(x=1, label="1", tone=tone),),
            series=(Series(name="s", bytes=(5,), leading=True),),
        )  # fmt: skip
        path = re.findall(r'd="([^"]+)"', draw_vector(plot, 400, "k").body)[1]
        return re.sub(r"[-0-9. ]+", "", path)

    assert len({shape("ok"), shape("warn"), shape("bad")}) == 3


def test_svg_stands_alone() -> None:
    text = str(render(FITS, "svg"))
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert "prefers-color-scheme:dark" in text
    assert text.count("http") == text.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert not re.search(r"var\(|@import|@font-face|url\((?!#)", text)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_a_document_without_pictures_has_no_svg() -> None:
    with pytest.raises(UsageError, match="no picture") as refused:
        render(Document("t", ()), "svg")
    assert "--html" in (refused.value.hint or "")


def test_a_headline_takes_two_lines_rather_than_run_off_the_edge() -> None:
    picture = next(block for block in find_view(type(FITS)).document(FITS).blocks if isinstance(block, Waterfall))
    sentence = "models for chat and assistants at a context of 4k, 5.96 GiB for deployments"
    for verdict, lines in (("fits", 1), ("68 comfortable, 1 tight, 16 barely", 2)):
        text = str(render(Document("t", (Headline(verdict, "ok", sentence), picture)), "svg"))
        assert sentence in text  # whole
        assert (f"{verdict}</tspan><tspan" in text) == (lines == 1)


def test_png_is_twice_the_svg() -> None:
    pytest.importorskip("resvg_py")
    try:
        png = render(FITS, "png")
    except MemfitError as error:
        pytest.skip(error.message)
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    root = ET.fromstring(str(render(FITS, "svg")))
    assert int.from_bytes(png[16:20], "big") == 2 * float(root.attrib["width"])


def test_png_without_the_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MemfitError) as error:
        render(FITS, "png")
    assert error.value.hint == "pip install 'memfit[png]'"


def test_png_without_fonts_is_refused_and_not_drawn_without_text(monkeypatch: pytest.MonkeyPatch) -> None:
    resvg = pytest.importorskip("resvg_py")
    drawn = resvg.svg_to_bytes

    def without_fonts(**options: object) -> bytes:
        return bytes(drawn(skip_system_fonts=True, **options))

    monkeypatch.setattr(resvg, "svg_to_bytes", without_fonts)
    with pytest.raises(MemfitError, match="no font"):
        render(FITS, "png")
