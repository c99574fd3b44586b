"""A few models in columns, one figure a row."""

from __future__ import annotations

from collections.abc import Callable

from memfit.engine.runtimes import ENGINES
from memfit.fit.records import Fit, FitRow
from memfit.render.document import Cell, Column, Document, Row, Table
from memfit.render.views._figures import parameter_words
from memfit.render.views._view import View
from memfit.render.views.fit import TONES, headline
from memfit.units import GIB, format_tokens


def document(found: Fit) -> Document:
    """The models side by side."""
    # prose: with several models on a narrow terminal a cell is broken between its words, and no label is lost
    columns = (Column("", prose=True), *(Column(row.model, "right", prose=True) for row in found.rows))
    rows = tuple(_row(name, show, found.rows) for name, show in _FIGURES)
    running = [row for row in found.rows if row.verdict != "no"]
    blocks = (headline(found, running), Table("Side by side", columns, rows))
    return Document(f"{' and '.join(row.model for row in found.rows)} on {found.device.name}", blocks)


def _row(name: str, show: Callable[[FitRow], Cell], rows: tuple[FitRow, ...]) -> Row:
    return (Cell(name), *(show(row) for row in rows))


def _speed(row: FitRow) -> Cell:
    if row.decode_tokens_per_s is None:
        return Cell("unknown", quiet=True)
    low, high = row.decode_low_tokens_per_s, row.decode_high_tokens_per_s
    return Cell(f"{row.decode_tokens_per_s:.0f} ({low:.0f} to {high:.0f})")


def _prompt(row: FitRow) -> Cell:
    if row.prefill_tokens_per_s is None:
        return Cell("unknown", quiet=True)
    return Cell(f"{row.prefill_tokens_per_s:.0f}")


_FIGURES: tuple[tuple[str, Callable[[FitRow], Cell]], ...] = (
    ("verdict", lambda row: Cell(row.verdict, TONES[row.verdict])),
    ("why", lambda row: Cell(row.reason)),
    ("size", lambda row: Cell(parameter_words(row.parameters))),
    ("active a token", lambda row: Cell(parameter_words(row.parameters_active))),
    ("format", lambda row: Cell(row.format)),
    ("engine", lambda row: Cell(ENGINES.get(row.engine).name)),
    ("weights, GiB", lambda row: Cell(f"{row.weights_bytes / GIB:.2f}")),
    ("must stay in memory, GiB", lambda row: Cell(f"{row.required_bytes / GIB:.2f}")),
    ("to spare, GiB", lambda row: Cell(f"{row.headroom_bytes / GIB:.2f}")),
    (
        "context that fits",
        lambda row: Cell(format_tokens(row.context_tokens) if row.context_trained_tokens else "none"),
    ),
    (
        "trained context",
        lambda row: Cell(format_tokens(row.context_trained_tokens) if row.context_trained_tokens else "none"),
    ),
    ("tokens/s", _speed),
    ("prompt tokens/s", _prompt),
    ("loss of the format", lambda row: Cell(row.quality.words)),
)

VIEW = View(record=Fit, document=document, summary="a few models side by side")
