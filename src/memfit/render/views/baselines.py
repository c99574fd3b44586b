"""What runtimes cost before any model: measured here, beside a document's figures."""

from __future__ import annotations

from memfit.measure.baseline import Baseline, Baselines
from memfit.render.document import Bullets, Cell, Column, Document, Fact, Facts, Headline, Note, Row, Table, Tone
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View
from memfit.units import format_bytes

_NOTHING = Cell("—", quiet=True)


def document(found: Baselines) -> Document:
    """One row a runtime, then why some have no figure."""
    measured = [row for row in found.rows if row.net_bytes is not None]
    head = Headline(
        f"{len(measured)} of {len(found.rows)} measured",
        "ok" if measured else "neutral",
        "PSS that a runtime adds to a bare interpreter, with mapped files whole, before any model",
    )
    bare = next((row.bare_bytes for row in measured if row.bare_bytes is not None), None)
    machine = found.machine
    facts = (
        ("machine", f"{machine.board or machine.cpu}, {machine.threads} threads, {gib(machine.total_bytes)}"),
        ("kernel", machine.kernel),
        ("interpreter", None if found.python is None else f"Python {found.python}"),
        ("bare interpreter", None if bare is None else f"{format_bytes(bare)}, not in the figures below"),
        ("document", found.document),
    )
    columns = (
        Column("runtime"),
        Column("version"),
        Column("MiB", "right"),
        Column("± spread", "right"),
        Column("anonymous", "right", spare=True),
        Column("resident", "right", spare=True),
        Column("up in s", "right", spare=True),
        Column("document", "right"),
        Column("", spare=True),
    )
    absent = tuple(
        f"{row.name}: {row.reason}" for row in found.rows if row.net_bytes is None and row.outcome != "no process"
    )
    notes = tuple(f"{row.name}: {row.brings_up}" + (f"; {row.note}" if row.note else "") for row in measured)
    other = tuple(f"{row.name}: {row.note}" for row in found.rows if row.outcome == "no process")
    return Document(
        "Runtimes before any model",
        (
            head,
            Facts(tuple(Fact(name, value) for name, value in facts if value is not None)),
            Table("Runtimes", columns, tuple(_row(row) for row in found.rows)),
            *([Bullets(absent, "neutral", "Not measured here")] if absent else []),
            *([Bullets(other, "neutral", "No process of its own")] if other else []),
            *([Bullets(notes, "neutral", "What was brought up")] if notes else []),
            Note("medians of several processes; the spread is between the largest and the smallest of them"),
        ),
    )


def _row(row: Baseline) -> Row:
    shown: tuple[Cell, ...]
    if row.net_bytes is None or row.spread_bytes is None:
        shown = (Cell(row.outcome, quiet=True), *[_NOTHING] * 4)
    else:
        shown = (
            mib(row.net_bytes),
            mib(row.spread_bytes, quiet=True),
            mib(row.anonymous_bytes or 0, quiet=True),
            mib(row.resident_bytes or 0, quiet=True),
            Cell(f"{row.duration_s:.1f}", quiet=True),
        )
    words, tone = _beside(row)
    return (Cell(row.name), Cell(row.version or "", quiet=True), *shown, _documented(row), Cell(words, tone=tone))


def _documented(row: Baseline) -> Cell:
    low, high = row.documented_low_bytes, row.documented_high_bytes
    if low is None or high is None:
        return _NOTHING
    exact = f"{low} to {high} bytes"
    if low == high:
        return Cell(f"~{low // 10**6} MB", exact=exact)
    return Cell(f"{low // 10**6}–{high // 10**6} MB", exact=exact)


def _beside(row: Baseline) -> tuple[str, Tone]:
    low, high = row.documented_low_bytes, row.documented_high_bytes
    if row.net_bytes is None or low is None or high is None:
        return "", "neutral"
    if row.net_bytes > high:
        return "above", "warn"
    return ("below", "neutral") if row.net_bytes < low else ("as documented", "ok")


VIEW = View(record=Baselines, document=document, summary="what runtimes cost before any model")
