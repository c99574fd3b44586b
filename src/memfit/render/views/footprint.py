"""The default view of a footprint: the verdict, the ledger behind it, and what would change it."""

from __future__ import annotations

from memfit.footprint.records import Footprint
from memfit.render.document import Block, Bullets, Cell, Column, Details, Document, Table
from memfit.render.views import _ledger as ledger
from memfit.render.views._figures import VERDICT_TONES, VERDICT_WORDS, mib, term_words, title_words
from memfit.render.views._view import View


def document(footprint: Footprint) -> Document:
    """Verdict, facts, ledger, warnings, relief, pictures."""
    blocks: list[Block] = [ledger.headline(footprint), ledger.facts(footprint), _ledger_table(footprint)]
    if footprint.compared:
        blocks.append(_compared_table(footprint))
    if footprint.warnings:
        blocks.append(Bullets(footprint.warnings, "warn", "Warnings"))
    if footprint.relief:
        blocks.append(_relief_table(footprint))
    steps = (
        ledger.step(ledger.picture_name(footprint, term), (term,))
        for term in footprint.terms
        if ledger.is_counted(term)
    )
    blocks += [
        ledger.waterfall(footprint, steps),
        ledger.memory_map(footprint),
        Details("Where each figure comes from", (ledger.sources(footprint),), view="explain"),
    ]
    return Document(title_words(footprint.model, footprint.device), tuple(blocks))


def _ledger_table(footprint: Footprint) -> Table:
    several_pools = ledger.several_pools(footprint)
    rows = []
    for term in footprint.terms:
        apart = not ledger.is_counted(term)
        name, *figures = ledger.figures(term_words(term.name), (term,), quiet=apart)
        pool = (Cell(term.pool, quiet=True),) if several_pools else ()
        source = Cell("not in the sum" if apart else term.source, quiet=True)
        rows.append((name, *pool, *figures, source))
    columns = (
        Column("term"),
        *((Column("pool"),) if several_pools else ()),
        *ledger.FIGURE_COLUMNS,
        Column("source", spare=True),
    )
    footers = ledger.footers(footprint, cells_before=int(several_pools))
    return Table("Ledger, MiB", columns, tuple(rows), footers)


def _compared_table(footprint: Footprint) -> Table:
    """In bytes: most of it is equal to the byte, or ``memfit`` would have refused to answer."""
    rows = []
    for one in footprint.compared:
        apart = one.engine_bytes - one.formula_bytes
        words = "equal" if not apart else f"{100 * apart / max(1, one.formula_bytes):+.2f} %"
        rows.append(
            (
                Cell(_compared_words(one.term)),
                Cell(f"{one.formula_bytes:,}"),
                Cell(f"{one.engine_bytes:,}"),
                Cell(words, tone="neutral" if apart else "ok"),
                Cell(one.condition, quiet=True),
            )
        )
    columns = (
        Column("term"),
        Column("formula", "right"),
        Column("engine", "right"),
        Column("apart", "right"),
        Column("asked for", spare=True),
    )
    return Table("Formula beside engine, bytes", columns, tuple(rows))


def _compared_words(name: str) -> str:
    before, _, term = name.rpartition(" ")
    return f"{before} {term_words(term)}".strip()


def _relief_table(footprint: Footprint) -> Table:
    columns = (
        Column("change"),
        Column("saves", "right"),
        Column("then needs", "right", spare=True),
        Column("verdict"),
        Column("price", prose=True),
    )
    rows = tuple(
        (
            Cell(f"{relief.option} {relief.value}".strip()),
            mib(relief.saved_bytes),
            mib(relief.required_bytes, quiet=True),
            Cell(VERDICT_WORDS[relief.verdict], tone=VERDICT_TONES[relief.verdict]),
            Cell(relief.cost, quiet=True),
        )
        for relief in footprint.relief
    )
    return Table("What would give most, MiB", columns, rows)


VIEW = View(record=Footprint, document=document, summary="the verdict, the whole ledger, and what would change it")
