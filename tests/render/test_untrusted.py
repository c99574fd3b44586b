"""Names from files can hold anything; no output may break, obey or leak it."""

from __future__ import annotations

import io
import re
import unicodedata
import xml.etree.ElementTree as ET

import msgspec
import pytest  # noqa: TC002 -- fixtures are annotated with it
from hypothesis import given, settings
from hypothesis import strategies as st
from render_samples import CURVE, FITS
from rich.cells import cell_len
from strict_page import StrictPage

from memfit.footprint.records import Footprint
from memfit.render import Document, render
from memfit.render.document import (
    Bullets,
    Cell,
    Column,
    Command,
    Details,
    Fact,
    Facts,
    Headline,
    MemoryMap,
    Note,
    Segment,
    Table,
)
from memfit.render.drawing.cells import cell_width
from memfit.render.untrusted import clean, clip, escape, whole

HOSTILE = [
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "\x9b31m C1 control",
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</title></style></svg><script>",
    "]]> <!-- --> <![CDATA[",
    "[bold red]markup[/bold red] [link=file:///etc/passwd]x[/link]",
    "[/] :skull: [",
    "a|b|c `code` **bold** <b> [x](http://e.vil) ![](http://e.vil/p.png)",
    "line one\nline two\r\nthree\tfour",
    "# heading\n- item\n1. one",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200b",
    "undecodable \udcff\ud800",
    "\ufffe\uffff\ufdd0\U000e0041",
    "模型" * 40,
    "e\u0301\u0301\u0301\u0301" * 30,
    "👩‍👩‍👧‍👦 family",
    "x" * 10_000,
    " " * 300,
    "",
]

wild = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.text(st.sampled_from(list("<>&\"'[]/\\`*_|#-=:$!\x1b\x07\n\t\u202e ab1")), max_size=60),
)


def poisoned(text: str) -> Footprint:
    """A footprint with this text wherever a file or a caller can put text."""
    replace = msgspec.structs.replace
    terms = (
        replace(
            FITS.terms[0], name=text, formula=text, error=text, parts=(replace(FITS.terms[0].parts[0], name=text),)
        ),
        *FITS.terms[1:],
    )
    options = replace(FITS.deployment.options, kv_type_k=text)
    return replace(
        FITS,
        model=replace(FITS.model, name=text, architecture=text, format=text),
        deployment=replace(FITS.deployment, model=text, options=options),
        device=replace(FITS.device, name=text, source=text),
        terms=terms,
        engine=text,
        warnings=(text, text),
        relief=(replace(FITS.relief[0], option=text, value=text, cost=text),),
    )


def every_block(text: str) -> Document:
    cells = (Cell(text, exact=text), Cell(text, tone="bad"))
    table = Table(text, (Column(text), Column(text, prose=True)), (cells,), (cells,))
    segments = (Segment(name=text, bytes=5), Segment(name=text, bytes=3, role="free"))
    picture = MemoryMap(title=text, description=text, segments=segments, total_bytes=6, total_name=text)
    blocks = (
        Headline(text, "bad", text),
        Facts((Fact(text, text),)),
        table,
        Bullets((text,), "warn", text),
        Note(text),
        Command(text, text),
        Details(text, (Note(text),), text),
        picture,
    )
    return Document(text, blocks)


def check_terminal(shown: str, width: int, *, commands: bool) -> None:
    for line in shown.split("\n"):
        # of what Unicode calls control, surrogate or unassigned-for-ever, nothing may reach a terminal
        assert not [letter for letter in line if unicodedata.category(letter) in ("Cc", "Cs")], ascii(line)
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", line)
        if not commands or not line.startswith("  $ "):
            # terminals disagree on joined emoji: a sum of its parts, or one sign
            assert min(cell_width(line), cell_len(line)) <= width, ascii(line)


@settings(max_examples=60, deadline=None)
@given(wild)
def test_no_text_breaks_a_terminal(text: str) -> None:
    check_terminal(str(render(poisoned(text), width=80)), 80, commands=False)
    check_terminal(str(render(every_block(text), width=60)), 60, commands=True)


@settings(max_examples=30, deadline=None)
@given(wild)
def test_no_text_breaks_a_terminal_without_unicode(text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    shown = str(render(poisoned(text), width=80, stream=stream))
    assert shown.isascii()
    stream.write(shown)


@settings(max_examples=60, deadline=None)
@given(wild)
def test_no_text_breaks_a_page(text: str) -> None:
    for record in (poisoned(text), every_block(text)):
        page = StrictPage(str(render(record, "html")))
        page.check_self_contained()
        page.check_references()
        assert clean(text) in page.text
    clean_page = StrictPage(str(render(every_block("harmless"), "html")))
    if not clean(text):
        return  # blocks without a title have no heading
    drawn = {"text", "tspan", "line", "rect", "path", "pattern"}  # what is written into a picture depends on its length
    assert [tag for tag in page.tags if tag not in drawn] == [tag for tag in clean_page.tags if tag not in drawn]


@settings(max_examples=60, deadline=None)
@given(wild)
def test_no_text_breaks_a_picture(text: str) -> None:
    for record in (poisoned(text), every_block(text)):
        root = ET.fromstring(str(render(record, "svg")))
        assert {element.tag.split("}")[1] for element in root.iter()} <= {
            "svg", "title", "desc", "style", "rect", "text", "tspan", "g", "line", "path", "pattern",
        }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(wild)
def test_no_text_breaks_markdown(text: str) -> None:
    shown = str(render(poisoned(text), "markdown"))
    harmless = str(render(poisoned("harmless"), "markdown"))
    outside_fences = re.sub(r"(?ms)^```.*?^```$", "", shown)
    tags = set(re.findall(r"(?<!\\)</?[a-zA-Z][^>]*>", outside_fences))
    assert tags <= {"<details>", "</details>", "<summary>", "</summary>"}
    assert outside_fences.count("\n") == re.sub(r"(?ms)^```.*?^```$", "", harmless).count("\n")
    for line in outside_fences.split("\n"):
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) in (5, 6, 7)


@settings(max_examples=60, deadline=None)
@given(wild)
def test_json_round_trips_any_text_that_utf8_can_hold(text: str) -> None:
    record = poisoned(text)
    read = msgspec.json.decode(str(render(record, "json")).encode(), type=Footprint)
    if not re.search("[\ud800-\udfff]", text):
        assert read == record
    assert read.terms[1:] == record.terms[1:]


def test_markup_and_emoji_codes_are_only_letters() -> None:
    shown = str(render(poisoned("[bold red]:skull:[/bold red]"), width=120))
    assert "[bold red]:skull:[/bold red]" in shown


def test_colour_does_not_let_sequences_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = str(render(poisoned("\x1b[2J\x1b]0;x\x07\x9b5n"), width=100))
    sequences = set(re.findall(r"\x1b.", shown))
    assert sequences == {"\x1b["}
    assert set(re.findall(r"\x1b\[[0-9;]*([^0-9;])", shown)) == {"m"}
    assert "\x07" not in shown
    assert "\x9b" not in shown


def test_a_long_name_keeps_its_end() -> None:
    name = "m" * 10_000 + "-Q4_K_M.gguf"
    assert clean(name).endswith("-Q4_K_M.gguf")
    assert len(clean(name)) == 600
    assert len(str(render(poisoned("x" * 10_000), "html"))) < 80_000


def test_a_command_is_never_shortened_or_broken() -> None:
    line = "memfit predict " + "long-name/" * 200 + " [bold]"
    shown = str(render(Document("t", (Command(line),)), width=60))
    assert f"  $ {line}\n" in shown
    assert whole("a\nb\x1b") == "a b\N{REPLACEMENT CHARACTER}"


@given(st.text(max_size=40), st.integers(0, 50))
def test_clip_never_exceeds(text: str, longest: int) -> None:
    assert len(clip(text, longest)) <= longest
    assert clip(text, len(text)) == text


@given(wild)
def test_clean_twice_is_clean_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert not re.search(r"[<>\"']", escape(clean(text)))


def test_curve_takes_wild_options() -> None:
    for text in HOSTILE:
        curve = msgspec.structs.replace(CURVE, option=text)
        check_terminal(str(render(curve, width=80)), 80, commands=False)
        ET.fromstring(str(render(curve, "svg")))
        StrictPage(str(render(curve, "html"))).check_self_contained()
