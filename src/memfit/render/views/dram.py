"""Every term of an audit's ledger with its holder and how it is known."""

from __future__ import annotations

from memfit.device.audit_records import Audit
from memfit.render.document import Block, Cell, Column, Document, Row, Table
from memfit.render.views import _audit as part
from memfit.render.views._figures import mib
from memfit.render.views._view import View
from memfit.render.views.audit import memory_map


def document(audit: Audit) -> Document:
    """The map, every term, and what may be behind the rest."""
    blocks: list[Block] = [part.headline(audit)]
    if audit.terms:
        blocks += [memory_map(audit), _terms(audit)]
    if audit.explanations:
        blocks.append(part.causes(audit))
    if audit.carveouts:
        blocks.append(part.carveouts(audit))
    return Document(part.title(audit), (*blocks, *part.unseen(audit)))


def _terms(audit: Audit) -> Table:
    rows: list[Row] = []
    for layer, name in part.LAYERS.items():
        for term in audit.terms:
            if term.layer != layer:
                continue
            named = f"{part.words(term.name)}: {term.holder}" if term.holder else part.words(term.name)
            evidence = Cell(f"{term.evidence} ({term.source})")
            rows.append((Cell(name, quiet=True), Cell(named), mib(term.bytes), evidence))
    whole = audit.physical_bytes or audit.linux_bytes or 0
    blank = Cell("")
    footers = (
        (blank, Cell("unexplained"), mib(audit.unexplained_bytes or 0), blank),
        (blank, Cell("physical memory"), mib(whole), blank),
    )
    columns = (
        Column("layer", spare=True),
        Column("term", prose=True),
        Column("MiB", "right"),
        Column("how it is known", prose=True),
    )
    return Table("Every term", columns, tuple(rows), footers)


VIEW = View(record=Audit, document=document, summary="every term of the ledger with its source")
