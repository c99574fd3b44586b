"""A patch of a BSP tree that was made or taken back."""

from __future__ import annotations

from memfit.bsp.records import BspReceipt
from memfit.render.document import Block, Bullets, Cell, Column, Command, Document, Headline, Note, Row, Table, Tone
from memfit.render.views._figures import gib, shell_command
from memfit.render.views._view import View
from memfit.render.views.patch import gone_already, left_alone, reclaimed

_TONES: dict[str, Tone] = {"applied": "ok", "undone": "ok", "nothing to do": "ok"}


def document(receipt: BspReceipt) -> Document:
    """What it gave, what was written, and how to go on or back."""
    blocks: list[Block] = [Headline(receipt.state, _tone(receipt), _sentence(receipt))]
    if receipt.reclaimed and receipt.state == "applied":
        blocks.append(reclaimed(receipt.reclaimed, receipt.reclaimed_bytes))
    if receipt.files:
        blocks.append(_files(receipt))
    if receipt.left and receipt.state in ("applied", "nothing to do"):
        blocks.append(left_alone(receipt.left))
    if receipt.state == "applied":
        if receipt.cautions:
            blocks.append(Bullets(receipt.cautions, "warn", "Before a flash"))
        if receipt.flash:
            where = "from the top of the tree, the board in recovery mode; memfit never runs it"
            blocks.append(Command(receipt.flash, where))
        blocks.append(shell_command("take it back", "memfit", "bsp", "undo", receipt.tree, receipt.id))
    if receipt.state == "undone":
        blocks.append(Note("a board that was flashed with it stays so until it is flashed again"))
    name = f"Patch {receipt.id}" if receipt.id else "Patch"
    return Document(f"{name} of {receipt.board}" if receipt.board else name, tuple(blocks))


def _tone(receipt: BspReceipt) -> Tone:
    if receipt.state == "nothing to do" and gone_already(receipt.left):
        return "warn"
    return _TONES.get(receipt.state, "bad")


def _sentence(receipt: BspReceipt) -> str:
    if receipt.state == "nothing to do":
        return gone_already(receipt.left) or "all of it is so already"
    if receipt.state == "undone":
        return "every file is as it was"
    if receipt.state != "applied":
        return "interrupted: memfit bsp undo takes it back"
    return (
        f"{gib(receipt.reclaimed_bytes)} less in carveouts, from the next flash on; no {', no '.join(receipt.gives_up)}"
    )


def _files(receipt: BspReceipt) -> Table:
    undone = receipt.state == "undone"
    columns = (Column("file"), Column("sha256 before", spare=True), Column("sha256 after", spare=True))
    rows: tuple[Row, ...] = tuple(
        (Cell(path), *(Cell(sha256[:12], exact=sha256) for sha256 in ((after, before) if undone else (before, after))))
        for path, before, after in receipt.files
    )
    return Table("Files", columns, rows)


VIEW = View(record=BspReceipt, document=document, summary="a patch of a BSP tree: what was written, how to go back")
