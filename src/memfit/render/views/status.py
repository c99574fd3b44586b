"""Everything memfit has changed on a machine."""

from __future__ import annotations

from memfit.apply.records import Receipt, Status
from memfit.render.document import Block, Bullets, Cell, Column, Document, Headline, Row, Table, Tone
from memfit.render.views._figures import shell_command
from memfit.render.views._view import View
from memfit.render.views.receipt import sentence

_TONES: dict[str, Tone] = {"applied": "ok", "open": "bad", "undoing": "bad", "damaged": "bad"}


def document(status: Status) -> Document:
    """One row a transaction, the newest first."""
    applied = [receipt for receipt in status.receipts if receipt.state == "applied"]
    drifted = [f"{receipt.id}: {words}" for receipt in status.receipts for words in receipt.drift]
    blocks: list[Block] = [_headline(status, applied)]
    if status.receipts:
        blocks.append(_table(status))
    if drifted:
        blocks.append(Bullets(tuple(drifted), "warn", "Changed since by somebody else"))
    if applied:
        blocks.append(shell_command("take the last one back", "memfit", "undo", *applied[-1].place, applied[-1].id))
    return Document(f"Settings changed on {status.host}", tuple(blocks))


def _headline(status: Status, applied: list[Receipt]) -> Headline:
    if status.recovered:
        names = ", ".join(status.recovered)
        return Headline("taken back", "warn", f"{names} had been interrupted half-way: everything is as it was before")
    if not applied:
        return Headline("nothing applied", "neutral", "this machine is as it was before memfit")
    count = "1 receipt" if len(applied) == 1 else f"{len(applied)} receipts"
    waiting = any(receipt.waits_for_boot for receipt in applied)
    return Headline("applied", "ok", f"{count}{', waiting for a boot' if waiting else ''}")


def _table(status: Status) -> Table:
    columns = (
        Column("receipt"),
        Column("state"),
        Column("made", spare=True),
        Column("knobs", prose=True),
        Column("gave", prose=True),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(receipt.id),
            Cell(receipt.state, _TONES.get(receipt.state, "neutral")),
            Cell(receipt.made, quiet=True),
            Cell(", ".join(knob.called for knob in receipt.knobs)),
            Cell(sentence(receipt)),
        )
        for receipt in reversed(status.receipts)
    )
    return Table("Receipts", columns, rows)


VIEW = View(record=Status, document=document, summary="every transaction of a machine, and whether somebody changed it")
