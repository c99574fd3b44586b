"""A model that was brought here: its files, and whether they are what was published."""

from __future__ import annotations

from memfit.remote.download import Pull
from memfit.render.document import Cell, Column, Document, Headline, Note, Row, Table
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._view import View
from memfit.units import format_bytes


def document(pulled: Pull) -> Document:
    """The files, and what to do with them."""
    if pulled.fetched_bytes:
        rate = format_bytes(int(pulled.fetched_bytes / max(pulled.seconds, 1e-9)))
        sentence = f"{gib(pulled.fetched_bytes)} in {pulled.seconds:.0f} s, {rate} a second"
    else:
        sentence = f"{gib(pulled.bytes)} were here already"
    columns = (Column("file", prose=True), Column("MiB", "right"), Column("checksum"))
    rows: tuple[Row, ...] = tuple(
        (
            Cell(one.path),
            mib(one.bytes),
            Cell("as published", "ok") if one.checked else Cell("none published", "warn"),
        )
        for one in pulled.files
    )
    model = next((one.path for one in pulled.files if one.path.endswith(".gguf")), None)
    return Document(
        pulled.name,
        (
            Headline("here", "ok", sentence),
            Table("Files", columns, rows),
            *((shell_command("what it takes", "memfit", "estimate", model),) if model else ()),
            *(() if model else (Note("a checkpoint: engines are given its folder"),)),
        ),
    )


VIEW = View(record=Pull, document=document, summary="a model that was downloaded")
