"""Knobs that were tried one at a time, each with what it gave and whether the check held."""

from __future__ import annotations

from memfit.apply.stepwise import StepTaken, Stepwise
from memfit.render.document import Block, Cell, Column, Document, Headline, Lines, Row, Table
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View


def document(found: Stepwise) -> Document:
    """What stays first, then each step."""
    title = f"Settings of {found.host}, one at a time"
    if found.baseline is not None and found.is_refused:
        words = f"`{found.check}` fails before anything is changed (exit code {found.baseline.code})"
        return Document(title, (Headline("not begun", "bad", words), *_said(found.baseline.said)))
    kept = [step for step in found.steps if step.kept and step.receipt is not None]
    broken = [step for step in found.steps if not step.kept]
    gain = sum(step.receipt.measured_bytes or 0 for step in kept if step.receipt is not None)
    sentence = f"{gib(gain)} measured; {len(broken)} broke the check and were taken back" if broken else gib(gain)
    blocks: list[Block] = [Headline(f"{len(kept)} applied", "warn" if broken else "ok", sentence), _table(found)]
    for step in broken:
        blocks += _said("" if step.checked is None else step.checked.said, step.knob)
    return Document(title, tuple(blocks))


def _table(found: Stepwise) -> Table:
    columns = (
        Column("knob"),
        Column("predicted", "right"),
        Column("measured", "right"),
        Column("check"),
        Column("receipt"),
    )
    return Table("Steps, MiB", columns, tuple(_row(step) for step in found.steps))


def _row(step: StepTaken) -> Row:
    receipt = step.receipt
    likely = sum(knob.likely_bytes for knob in receipt.knobs) if receipt is not None else 0
    measured = receipt.measured_bytes if receipt is not None else None
    if step.checked is not None:
        check = Cell("holds", "ok") if step.kept else Cell(f"broke: exit code {step.checked.code}", "bad")
    else:
        check = Cell(step.why or "none", quiet=True)
    return (
        Cell(step.knob),
        mib(likely),
        Cell("") if measured is None else mib(measured),
        check,
        Cell("" if receipt is None else f"{receipt.id} {receipt.state}"),
    )


def _said(text: str, name: str = "") -> list[Block]:
    lines = tuple(text.splitlines()[-12:])
    return [Lines(lines, f"What the check said{f' of {name}' if name else ''}")] if lines else []


VIEW = View(record=Stepwise, document=document, summary="knobs tried one at a time against a check")
