"""Colour, width and character set of terminal text."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from fit_samples import FITTING, NOTHING_FITS
from render_samples import CURVE, FITS, SEPARATE, TIGHT, TOO_BIG

from memfit.render import Document, render
from memfit.render.document import Bullets, Cell, Column, Headline, Table
from memfit.render.outputs.terminal import wants_colour


class Terminal(io.StringIO):
    def __init__(self, *, tty: bool = True) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("tty", "environment", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour(tty: bool, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal(tty=tty)
    assert wants_colour(stream) is expected
    assert ("\x1b[" in str(render(FITS, stream=stream))) is expected


def test_colour_changes_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = str(render(TIGHT, width=90))
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = str(render(TIGHT, width=90))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.split("\n")] == plain.split("\n")


def test_the_verdict_has_its_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;32m✓ fits\x1b[0m" in str(render(FITS))
    assert "\x1b[1;33m! tight\x1b[0m" in str(render(TIGHT))
    assert "\x1b[1;31m✗ does not fit\x1b[0m" in str(render(TOO_BIG))


def test_rendering_writes_nothing() -> None:
    stream = Terminal()
    render(FITS, stream=stream)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("width", [40, 52, 60, 80, 100, 120])
@pytest.mark.parametrize("record", [FITS, TIGHT, TOO_BIG, SEPARATE, CURVE])
def test_no_line_is_wider_than_asked(record: object, width: int) -> None:
    shown = str(render(record, width=width))  # type: ignore[arg-type]
    assert max(len(line) for line in shown.split("\n")) <= width


def test_width_comes_from_columns_and_stays_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render(FITS) == render(FITS, width=100)
    monkeypatch.setenv("COLUMNS", "72")
    assert render(FITS) == render(FITS, width=72)
    monkeypatch.setenv("COLUMNS", "wide")
    assert render(FITS) == render(FITS, width=100)
    assert render(FITS, width=400) == render(FITS, width=120)
    assert render(FITS, width=3) == render(FITS, width=40)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252"])
def test_other_character_sets_get_what_they_can_show(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    for record in (FITS, TIGHT, CURVE):
        shown = str(render(record, stream=stream, width=80))
        stream.write(shown)  # raises where a character is missing
        assert "?" not in shown
        assert "#" in shown


def test_utf8_by_any_name_gets_blocks() -> None:
    for encoding in ("UTF-8", "utf8", "utf-8-sig"):
        assert "█" in str(render(FITS, stream=io.TextIOWrapper(io.BytesIO(), encoding=encoding)))


def test_narrow_terminals_lose_columns_and_not_letters() -> None:
    wide, narrow = str(render(FITS, width=80)), str(render(FITS, width=60))
    assert "not in the sum" in wide
    assert "source" not in narrow.split("Ledger")[1].split("\n")[1]
    assert "compute buffers" in narrow
    assert "evictable" in narrow


def test_columns_go_from_the_right_and_only_spare_ones() -> None:
    columns = (Column("name"), Column("a" * 20, spare=True), Column("kept" * 5), Column("b" * 20, spare=True))
    rows = ((Cell("x"), Cell("1"), Cell("2"), Cell("3")),)
    shown = str(render(Document("t", (Table("T", columns, rows),)), width=50))
    assert "a" * 20 in shown
    assert "b" * 20 not in shown
    shown = str(render(Document("t", (Table("T", columns, rows),)), width=40))
    assert "a" * 20 not in shown
    assert "kept" * 5 in shown


def test_tones_have_marks_without_colour() -> None:
    blocks = (Headline("word", "neutral", "sentence"), Bullets(("one",), "bad"), Bullets(("two",), "ok"))
    shown = str(render(Document("t", blocks)))
    assert "\nword — sentence" in shown
    assert "✗  one" in shown
    assert "✓  two" in shown


def test_names_and_verdicts_are_not_cut_where_columns_can_go() -> None:
    shown = str(render(FITTING, width=60))
    for row in FITTING.rows:
        assert row.model in shown
    for word in ("comfortable", "tight:", "barely:"):
        assert word in shown
    assert "size" not in shown.split("Best first")[1].split("\n")[1]


def test_the_bar_of_a_speed_is_shown_where_there_is_room() -> None:
    assert "17–26" in str(render(FITTING, width=120))
    assert "17–26" not in str(render(FITTING, width=60))


@pytest.mark.parametrize("width", [60, 80])
def test_models_side_by_side_keep_their_labels(width: int) -> None:
    shown = str(render(FITTING, width=width, view="side_by_side")).split("\n")
    assert max(len(line) for line in shown) <= width
    for label in ("verdict", "size", "format", "engine", "weights"):
        assert any(line.startswith(label) for line in shown), label
    assert any("comfortable" in line for line in shown)


def test_on_which_engine_it_does_not_fit_is_said_where_there_are_several() -> None:
    refused = [msgspec.structs.replace(NOTHING_FITS.rows[0], engine=engine) for engine in ("llama_cpp", "vllm")]
    several = str(render(msgspec.structs.replace(NOTHING_FITS, rows=tuple(refused)), width=100))
    assert "engine" in several
    assert "vLLM" in several
    assert "engine" not in str(render(NOTHING_FITS, width=100)).split("What does not fit")[1].split("\n")[1]


def test_where_nothing_is_fast_enough_the_headline_says_so() -> None:
    slow = msgspec.structs.replace(FITTING.rows[0], verdict="no", reason="21.0 tokens/s, below 600")
    wish = msgspec.structs.replace(FITTING.wish, least_tokens_per_s=600)
    shown = str(render(msgspec.structs.replace(FITTING, rows=(slow,), wish=wish), width=120)).split("\n")[1]
    assert "no model for chat and assistants reaches 600 tokens/s" in shown
    assert "the fastest that fits has 21" in shown
