"""What differs in a BSP tree from before memfit."""

from __future__ import annotations

from memfit.bsp.records import BspDiff
from memfit.render.document import Block, Bullets, Cell, Column, Document, Headline, Row, Table
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._view import View
from memfit.render.views.patch import changed_lines


def document(diff: BspDiff) -> Document:
    """Patches, then lines."""
    blocks: list[Block] = [_headline(diff)]
    if diff.receipts:
        blocks.append(_receipts(diff))
    if diff.drift:
        blocks.append(Bullets(diff.drift, "warn", "Changed since by somebody else"))
    blocks += [changed_lines(edit) for edit in diff.files if edit.text]
    if diff.receipts:
        blocks.append(shell_command("take the last one back", "memfit", "bsp", "undo", diff.tree, diff.receipts[-1].id))
    return Document("Changed in this BSP tree", tuple(blocks))


def _headline(diff: BspDiff) -> Headline:
    if diff.interrupted:
        names = ", ".join(diff.interrupted)
        return Headline("interrupted", "bad", f"{names} was not ended: memfit bsp undo takes it back")
    if not diff.receipts:
        return Headline("nothing", "neutral", "the tree is as it was before memfit")
    total = sum(receipt.reclaimed_bytes for receipt in diff.receipts)
    count = "1 patch" if len(diff.receipts) == 1 else f"{len(diff.receipts)} patches"
    return Headline(f"{gib(total)} less", "ok", f"in carveouts, by {count}")


def _receipts(diff: BspDiff) -> Table:
    columns = (
        Column("patch"),
        Column("made", spare=True),
        Column("style"),
        Column("given up", prose=True),
        Column("MiB", "right"),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(one.id),
            Cell(one.made, quiet=True),
            Cell(one.style),
            Cell(", ".join(one.gives_up)),
            mib(one.reclaimed_bytes),
        )
        for one in diff.receipts
    )
    return Table("Patches", columns, rows)


VIEW = View(
    record=BspDiff, document=document, summary="what memfit changed in a BSP tree, and whether somebody did since"
)
