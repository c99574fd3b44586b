"""The page: well formed, self-contained, accessible, legible."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from render_samples import FITS, RECORDS
from strict_page import StrictPage

from memfit.render import Document, find_view, render
from memfit.render.document import Bullets, Command, MemoryMap, Note
from memfit.render.drawing.palette import DARK, LIGHT, Palette
from memfit.render.drawing.svg import draw_vector


@pytest.mark.parametrize("name", RECORDS)
def test_page_is_well_formed_and_fetches_nothing(name: str) -> None:
    page = StrictPage(str(render(RECORDS[name], "html")))
    page.check_self_contained()
    page.check_references()
    assert page.tags.count("h1") == 1
    assert page.tags.count("main") == 1


def test_tables_are_tables_and_pictures_have_text() -> None:
    text = str(render(FITS, "html"))
    page = StrictPage(text)
    assert page.tags.count("table") == 3
    assert page.tags.count("tfoot") == 1
    assert page.tags.count("figure") == 2
    pictures = [value for tag, name, value in page.attributes if tag == "svg" and name == "role"]
    assert pictures == ["img"] * 4  # two pictures, each for wide and for narrow pages
    assert page.tags.count("desc") == 4
    assert 'scope="row"' in text
    assert 'scope="col"' in text


def test_exact_bytes_are_there_on_request() -> None:
    assert f'title="{FITS.high_bytes} bytes"' in str(render(FITS, "html"))


def test_formulas_stay_closed_until_asked_for() -> None:
    text = str(render(FITS, "html"))
    start, end = text.index("<details>"), text.index("</details>")
    assert FITS.terms[1].formula in text[start:end]
    assert FITS.terms[1].formula not in text[:start]


def test_a_command_can_be_copied_whole() -> None:
    line = "memfit predict 'a <b>.gguf' && echo " + "x" * 5000
    page = StrictPage(str(render(Document("t", (Command(line, "do it"), Note("n"), Bullets(("b",)))), "html")))
    assert line in page.text


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_is_legible(palette: Palette) -> None:
    for name in ("ink", "quiet", "ok", "warn", "bad"):
        assert contrast(getattr(palette, name), palette.page) >= 4.5, name
        assert contrast(getattr(palette, name), palette.panel) >= 4.5, name
    for fill, text in zip(palette.segments, palette.on_segments, strict=True):
        assert contrast(fill, text) >= 4.5, fill
    for fill in palette.systems:
        assert contrast(palette.ink, fill) >= 4.5, fill


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_greys_can_be_told_apart(palette: Palette) -> None:
    for fill, other in itertools.combinations((*palette.systems, palette.page), 2):
        assert contrast(fill, other) >= 1.25, (fill, other)


def test_no_two_layers_of_an_audit_share_a_fill() -> None:
    record = RECORDS["audited"]
    picture = next(block for block in find_view(type(record)).document(record).pictures())
    assert isinstance(picture, MemoryMap)
    root = ET.fromstring(f"<svg>{draw_vector(picture, 760, 'p0').body}</svg>")
    key = [rect.attrib["class"] for rect in root.iter("rect") if rect.attrib["width"] == rect.attrib["height"]]
    assert len(key) == len(set(key)) == len(picture.segments)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_bars_stand_out_from_the_page(palette: Palette) -> None:
    for name in ("use", "ok", "warn", "bad", "quiet"):
        assert contrast(getattr(palette, name), palette.page) >= 3, name


def test_every_class_of_a_picture_is_coloured() -> None:
    for record in RECORDS.values():
        if not find_view(type(record)).document(record).pictures():
            continue
        text = str(render(record, "svg"))
        used = {one for classes in re.findall(r'class="([^"]+)"', text) for one in classes.split()}
        known = set(re.findall(r"\.([a-z][a-z0-9-]*)", text[text.index("<style>") : text.index("</style>")]))
        assert used <= known


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_long_verdict_may_break_on_a_narrow_page() -> None:
    (rule,) = re.findall(r"\.verdict strong\{[^}]*\}", str(render(FITS, "html")))
    assert "nowrap" not in rule
