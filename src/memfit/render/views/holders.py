"""Every process of an audit by its share of memory."""

from __future__ import annotations

from memfit.device.audit_records import Audit
from memfit.render.document import Cell, Column, Document, Row, Table
from memfit.render.views import _audit as part
from memfit.render.views._figures import mib
from memfit.render.views._holders import at_most, holder_table, holders
from memfit.render.views._view import View


def document(audit: Audit) -> Document:
    """Units first, then one line a process."""
    found = holders(audit)
    units, processes = holder_table(found, most=len(found)), _processes(audit)
    return Document(part.title(audit), (part.headline(audit), units, processes, *part.unseen(audit)))


def _processes(audit: Audit) -> Table:
    rows: list[Row] = [
        (
            Cell(str(row.pid), quiet=True),
            Cell(row.name),
            Cell(row.unit or "", quiet=True),
            Cell(row.role, quiet=True),
            at_most(row.rss_bytes) if row.pss_bytes is None else mib(row.pss_bytes),
            mib(row.anonymous_bytes, quiet=True),
            mib(row.rss_bytes, quiet=True),
            mib(row.swapped_bytes, quiet=True),
        )
        for row in audit.processes
    ]
    columns = (
        Column("pid", "right"),
        Column("name"),
        Column("unit", spare=True),
        Column("role", spare=True),
        Column("PSS", "right"),
        Column("anonymous", "right", spare=True),
        Column("RSS", "right", spare=True),
        Column("swapped", "right", spare=True),
    )
    return Table("Every process, MiB", columns, tuple(rows))


VIEW = View(record=Audit, document=document, summary="every process by its share")
