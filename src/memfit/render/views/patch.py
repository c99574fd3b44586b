"""What a patch of a BSP tree changes, and what that gives in the compiled trees."""

from __future__ import annotations

from memfit.bsp.records import GONE_ALREADY, FileEdit, Patch, Reclaimed
from memfit.render.document import Block, Bullets, Cell, Column, Command, Document, Headline, Lines, Row, Table, Tone
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View


def document(patch: Patch) -> Document:
    """The gain first, then its proof, every step, every line, and how it comes onto a board."""
    blocks: list[Block] = [_headline(patch)]
    if patch.reclaimed:
        blocks.append(reclaimed(patch.reclaimed, patch.reclaimed_bytes))
    if patch.steps:
        blocks.append(_steps(patch))
    blocks += [changed_lines(edit) for edit in patch.files]
    reached = [
        f"{edit.path} is included by {', '.join(edit.also_included_by)}"
        for edit in patch.files
        if edit.also_included_by
    ]
    if reached:
        blocks.append(Bullets(tuple(reached), "warn", "Reaches other files"))
    if patch.left:
        blocks.append(left_alone(patch.left))
    if patch.files and patch.cautions:
        blocks.append(Bullets(patch.cautions, "warn", "Before a flash"))
    if patch.files and patch.flash:
        blocks.append(
            Command(patch.flash, "from the top of the tree, the board in recovery mode; memfit never runs it")
        )
    release = f", Jetson Linux {patch.release}" if patch.release else ""
    return Document(f"Boot configuration of {patch.board} ({patch.module}{release})", tuple(blocks))


def reclaimed(rows: tuple[Reclaimed, ...], total_bytes: int) -> Table:
    """Carveouts in the compiled trees, before and after."""
    columns = (Column("carveout"), Column("given up"), Column("before", "right"), Column("after", "right"))
    shown: tuple[Row, ...] = tuple(
        (Cell(one.name), Cell(one.recipe, quiet=True), mib(one.before_bytes), mib(one.after_bytes)) for one in rows
    )
    before, after = (sum(sizes) for sizes in zip(*((one.before_bytes, one.after_bytes) for one in rows), strict=True))
    total = (Cell("together"), Cell(f"{gib(total_bytes)} less"), mib(before), mib(after))
    return Table("In the compiled trees, MiB", columns, shown, (total,))


def left_alone(left: tuple[tuple[str, str], ...]) -> Bullets:
    """What is not given up, and why."""
    tone: Tone = "warn" if gone_already(left) else "neutral"
    return Bullets(tuple(f"{name}: {why}" for name, why in left), tone, "Left alone")


def gone_already(left: tuple[tuple[str, str], ...]) -> str:
    """Needed uses that are gone, as a sentence; empty where there are none."""
    names = [name for name, why in left if why == GONE_ALREADY]
    return f"{', '.join(names)} is needed, but gone already: memfit bsp undo" if names else ""


def changed_lines(edit: FileEdit) -> Lines:
    """What differs in a file, its tabs as blanks."""
    return Lines(tuple(line.expandtabs(4) for line in edit.text.splitlines()), edit.path, "diff")


def _headline(patch: Patch) -> Headline:
    if not patch.files:
        gone = gone_already(patch.left)
        if gone:
            return Headline("nothing to do", "warn", gone)
        why = "all of it is so already" if patch.gives_up else "nothing is left that may be given up"
        return Headline("nothing to do", "ok", why)
    count = "1 file" if len(patch.files) == 1 else f"{len(patch.files)} files"
    return Headline(
        f"{gib(patch.reclaimed_bytes)} to win", "ok", f"no {', no '.join(patch.gives_up)}; {count}, {patch.style}"
    )


def _steps(patch: Patch) -> Table:
    columns = (Column("step"), Column("state"), Column("becomes", prose=True), Column("from", spare=True))
    rows: tuple[Row, ...] = tuple(
        (
            Cell(step.target.rpartition("/")[2], exact=step.target),
            Cell("is so", quiet=True) if step.done else Cell("to do"),
            Cell(step.does, quiet=step.done),
            Cell("the notes" if step.published else "beyond the notes", tone="neutral" if step.published else "warn"),
        )
        for step in patch.steps
    )
    return Table("Steps", columns, rows)


VIEW = View(record=Patch, document=document, summary="what a patch of a BSP tree changes, with its proof")
