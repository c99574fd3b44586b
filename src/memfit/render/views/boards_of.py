"""A model on every board: the smallest that holds it, and what it is like on the others."""

from __future__ import annotations

from memfit.fit.boards import BoardRow, BoardsOf
from memfit.render.document import Bullets, Cell, Column, Document, Headline, Row, Table
from memfit.render.views._figures import gib
from memfit.render.views._view import View
from memfit.render.views.fit import TONES
from memfit.units import GIB, format_tokens


def document(found: BoardsOf) -> Document:
    """The smallest board, and the table."""
    asked = f"at a context of {format_tokens(found.wish.context_tokens)}"
    if found.smallest is None:
        head = Headline("no board", "bad", f"holds {found.model} {asked}")
    else:
        head = Headline(found.smallest, "ok", f"is the smallest board that holds {found.model} {asked}")
    columns = (
        Column("board", prose=True),
        Column("free GiB", "right"),
        Column("format"),
        Column("context", "right", spare=True),
        Column("GiB", "right"),
        Column("tok/s", "right"),
        Column("verdict", prose=True),
    )
    table = Table("On every board, with its stock system", columns, tuple(_row(one) for one in found.boards))
    notes = (Bullets(found.notes, "neutral", "What to know"),) if found.notes else ()
    return Document(f"Boards for {found.model}", (head, table, *notes))


def _row(one: BoardRow) -> Row:
    row = one.row
    speed = "" if row.decode_tokens_per_s is None else f"{row.decode_tokens_per_s:.0f}"
    return (
        Cell(one.device),
        Cell(f"{one.capacity_bytes / GIB:.2f}", exact=gib(one.capacity_bytes)),
        Cell(row.format),
        Cell(format_tokens(row.context_tokens)),
        Cell(f"{row.required_bytes / GIB:.2f}", exact=f"{row.required_bytes} bytes"),
        Cell(speed),
        Cell(row.verdict if not row.reason else f"{row.verdict}: {row.reason}", TONES[row.verdict]),
    )


VIEW = View(record=BoardsOf, document=document, summary="a model on every board, the smallest first")
