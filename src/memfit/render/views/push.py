"""A model sent to a device, or how long that would take over each link."""

from __future__ import annotations

from memfit.host.links import SOURCE
from memfit.host.send import Push
from memfit.render.document import Block, Cell, Column, Document, Headline, Note, Row, Table
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._view import View
from memfit.units import format_bytes


def document(pushed: Push) -> Document:
    """What arrived, or the times by link."""
    return Document(pushed.model, _sent(pushed) if pushed.files else _planned(pushed))


def _sent(pushed: Push) -> tuple[Block, ...]:
    sent = sum(one.sent_bytes for one in pushed.files)
    seconds = sum(one.seconds for one in pushed.files)
    if sent:
        sentence = f"{gib(sent)} in {seconds:.0f} s, {format_bytes(int(sent / max(seconds, 1e-9)))} a second"
    else:
        sentence = f"{gib(pushed.bytes)} were there already"
    rows: tuple[Row, ...] = tuple(
        (Cell(one.path), mib(one.bytes), Cell("equal at both ends", "ok")) for one in pushed.files
    )
    imported = (Note(f"Ollama there knows it as {pushed.imported}"),) if pushed.imported else ()
    columns = (Column("file", prose=True), Column("MiB", "right"), Column("checksum"))
    return Headline("sent", "ok", sentence), Table("Files", columns, rows), *imported


def _planned(pushed: Push) -> tuple[Block, ...]:
    columns = (Column("link"), Column("MB/s", "right"), Column("time", "right"))
    rows: tuple[Row, ...] = tuple(
        (Cell(one.link), Cell(f"{one.bytes_per_s / 1e6:.0f}"), Cell(_time(one.seconds))) for one in pushed.links
    )
    return (
        Headline("to be sent", "neutral", f"{gib(pushed.bytes)} to {pushed.place}"),
        Table("How long it takes", columns, rows),
        Note(f"speeds of links: {SOURCE}"),
        shell_command("send it", "memfit", "push", pushed.model, pushed.place),
    )


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


VIEW = View(record=Push, document=document, summary="a model that was sent to a device, or the time that takes")
