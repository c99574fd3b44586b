"""Carveouts of a board in a BSP tree: how large, what for, what they need, and whether they can go."""

from __future__ import annotations

from memfit.bsp.records import BspAudit, CarveoutRow, Verdict
from memfit.render.document import Block, Bullets, Cell, Column, Document, Fact, Facts, Headline, Note, Row, Table, Tone
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._view import View

_TONES: dict[Verdict, Tone] = {"yes": "ok", "experimental": "warn"}


def document(audit: BspAudit) -> Document:
    """What could go, then every carveout."""
    release = f" in Jetson Linux {audit.release}" if audit.release else ""
    blocks: list[Block] = [_headline(audit), Facts(tuple(Fact(_role(file), file) for file in audit.files))]
    blocks.append(_table(audit))
    gone = [row.name for row in audit.carveouts if row.bytes == 0]
    if gone:
        blocks.append(Note(f"of no size: {', '.join(gone)}"))
    if audit.half_done:
        title = "Done by halves: a board flashed with this may not start"
        blocks.append(Bullets(audit.half_done, "bad", title))
    if audit.warnings:
        blocks.append(Bullets(audit.warnings, "warn", "Warnings"))
    if audit.published_bytes:
        # also those that cannot go in this tree: patch refuses them
        kept = {row.need for row in audit.carveouts if row.bytes and row.need and row.can_go in ("needed", "no")}
        needs = ",".join(sorted(kept)) or "none"
        words: tuple[str, ...] = ("memfit", "bsp", "patch", audit.tree, "--board", audit.module, "--needs", needs)
        words += (*(("--conf", audit.configuration) if audit.configuration else ()), "--dry-run")
        blocks.append(shell_command("what giving them up changes", *words))
    return Document(f"Carveouts of {audit.board} ({audit.module}){release}", tuple(blocks))


def _headline(audit: BspAudit) -> Headline:
    kept = f"{gib(audit.kept_bytes)} are kept from Linux"
    more = (
        f"; {gib(audit.experimental_bytes)} more where nobody has published a boot" if audit.experimental_bytes else ""
    )
    if audit.half_done:
        return Headline("half done", "bad", f"{kept}; the tree was changed in some of the places that belong together")
    if not audit.published_bytes:
        return Headline("nothing published to take back", "neutral", kept + more)
    return Headline(f"{gib(audit.published_bytes)} could go", "ok", f"{kept}{more}")


def _role(file: str) -> str:
    if file.endswith(".dtb"):
        return "kernel"
    return "MB2" if "mb2" in file.rpartition("/")[2] else "MB1"


def _table(audit: BspAudit) -> Table:
    columns = (
        Column("carveout"),
        Column("MiB", "right"),
        Column("can go"),
        Column("what for", prose=True),
        Column("why it stays, what it costs", prose=True),
    )
    rows: tuple[Row, ...] = tuple(_row(row) for row in audit.carveouts if row.bytes != 0)
    blank = Cell("")
    footers: tuple[Row, ...] = (
        (Cell("all"), mib(audit.sum_bytes), blank, blank, blank),
        (
            Cell("kept from Linux"),
            mib(audit.kept_bytes),
            blank,
            blank,
            Cell("what a boot log shows as missing, to 3 MiB"),
        ),
    )
    return Table("Carveouts", columns, rows, footers)


def _row(row: CarveoutRow) -> Row:
    size = Cell("unknown", tone="warn") if row.bytes is None else mib(row.bytes)
    needs = f"needed: {row.need}" if row.can_go == "needed" else f"no {row.recipe}" if row.recipe else row.stays
    quiet = row.can_go == "no"
    return (
        Cell(row.name, quiet=quiet),
        size,
        Cell(row.can_go, tone=_TONES.get(row.can_go, "neutral"), quiet=quiet),
        Cell(row.purpose, quiet=quiet),
        Cell(needs, quiet=quiet),
    )


VIEW = View(
    record=BspAudit, document=document, summary="the carveouts of a board in a BSP tree, and which of them can go"
)
