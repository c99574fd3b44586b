"""What an apply would do: knobs with what they give, then every file and command."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.apply.propose import Proposal, ProposedKnob
from memfit.render.document import Block, Bullets, Cell, Column, Document, Headline, Lines, Row, Table
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View

# from the bottom up, as an audit's ledger
_LAYERS = {
    "firmware": "firmware",
    "boot": "boot",
    "kernel": "kernel",
    "drivers": "GPU and drivers",
    "user": "user space",
    "cache": "page cache",
}


def document(proposal: Proposal) -> Document:
    """The gain first, then what it costs, then what is written."""
    blocks: list[Block] = [_headline(proposal)]
    if proposal.knobs:
        blocks.append(_knobs(proposal))
        rests = tuple(f"{_called(knob)}: {knob.evidence}" for knob in proposal.knobs if knob.evidence)
        if rests:
            blocks.append(Bullets(rests, title="What that rests on"))
    commands = tuple(change.text for change in proposal.changes if change.kind != "file")
    for change in proposal.changes:
        if change.kind == "file":
            blocks.append(Lines(tuple(change.text.splitlines()), change.target, "diff"))
    if commands:
        blocks.append(Lines(commands, "Links, units, values", "sh"))
    if proposal.left:
        blocks.append(Bullets(tuple(f"{name}: {why}" for name, why in proposal.left), title="Left alone"))
    return Document(f"Settings of {proposal.host}", tuple(blocks))


def _headline(proposal: Proposal) -> Headline:
    if not proposal.knobs:
        return Headline("nothing to do", "ok", "no knob that was asked for has anything to change here")
    boot = ", some of it after a reboot" if proposal.waits_for_boot else ""
    low, high = gib(proposal.low_bytes), gib(proposal.high_bytes)
    return Headline(f"{gib(proposal.likely_bytes)} to win", "ok", f"from {low} to {high}{boot}")


def _knobs(proposal: Proposal) -> Table:
    cuda = any(knob.cuda_bytes is not None for knob in proposal.knobs)
    columns = (
        Column("knob"),
        Column("low", "right", spare=True),
        Column("likely", "right"),
        Column("high", "right", spare=True),
        *([Column("for CUDA", "right")] if cuda else []),
        Column("when"),
        Column("what is given up", prose=True),
    )
    layers = [layer for layer in _LAYERS if any(knob.layer == layer for knob in proposal.knobs)]
    by_layer = [knob for layer in layers for knob in proposal.knobs if knob.layer == layer]
    rows: tuple[Row, ...] = tuple(
        (
            Cell(_called(knob)),
            mib(knob.low_bytes),
            mib(knob.likely_bytes),
            mib(knob.high_bytes),
            *([mib(_for_cuda(knob), quiet=knob.cuda_bytes is None)] if cuda else []),
            Cell(knob.when),
            Cell(knob.cost, tone="warn" if knob.risk == "high" else "neutral"),
        )
        for knob in by_layer
    )
    sums = [_sum(_LAYERS[layer], [knob for knob in by_layer if knob.layer == layer], cuda=cuda) for layer in layers]
    total = _sum("together", by_layer, cuda=cuda)
    return Table("Knobs, MiB", columns, rows, (*sums, total) if len(sums) > 1 else (total,))


def _called(knob: ProposedKnob) -> str:
    return f"{knob.name}={knob.value}" if knob.value else knob.name


def _for_cuda(knob: ProposedKnob) -> int:
    """What CUDA can allocate more: mostly what MemAvailable grows by."""
    return knob.likely_bytes if knob.cuda_bytes is None else knob.cuda_bytes


def _sum(name: str, knobs: Sequence[ProposedKnob], *, cuda: bool) -> Row:
    return (
        Cell(name),
        mib(sum(knob.low_bytes for knob in knobs)),
        mib(sum(knob.likely_bytes for knob in knobs)),
        mib(sum(knob.high_bytes for knob in knobs)),
        *([mib(sum(_for_cuda(knob) for knob in knobs))] if cuda else []),
        Cell(""),
        Cell(""),
    )


VIEW = View(record=Proposal, document=document, summary="what would be changed on a machine, and what it gives back")
