"""What was changed or taken back, and what it gave."""

from __future__ import annotations

from memfit.apply.records import Boot, Receipt
from memfit.render.document import Block, Bullets, Cell, Column, Document, Headline, Note, Row, Table, Tone
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._view import View
from memfit.units import format_bytes

_TONES: dict[str, Tone] = {"applied": "ok", "undone": "ok", "nothing to do": "ok"}


def document(receipt: Receipt) -> Document:
    """The measured gain first, then every change."""
    blocks: list[Block] = [Headline(receipt.state, _TONES.get(receipt.state, "bad"), sentence(receipt))]
    if receipt.knobs:
        blocks.append(knobs(receipt))
    if receipt.changes:
        blocks.append(changes(receipt))
    if receipt.drift:
        blocks.append(Bullets(receipt.drift, "warn", "Changed since by somebody else"))
    if receipt.theirs:
        blocks.append(Bullets(receipt.theirs, "warn", "Left as somebody else made it"))
        blocks.append(Note(f"what it held before memfit lies in /var/lib/memfit/journal/{receipt.id}.{receipt.state}"))
    if receipt.waits_for_boot and _boot_alone(receipt):
        blocks.append(Note("some of it takes effect after the next boot: memfit status then says what it gave"))
    if receipt.state == "applied":
        blocks.append(shell_command("take it back", "memfit", "undo", *receipt.place, receipt.id))
    name = f"{receipt.id} on {receipt.host}" if receipt.id else receipt.host
    return Document(f"Settings {name}", tuple(blocks))


def sentence(receipt: Receipt) -> str:
    """What it gave, in words."""
    if not receipt.id:
        return "all of it was so already"
    if receipt.state == "undone" and receipt.theirs:
        count = "one change" if len(receipt.theirs) == 1 else f"{len(receipt.theirs)} changes"
        return f"everything is as it was but for {count} of somebody else's"
    if receipt.state == "undone":
        return "; ".join(("everything is as it was", *by_hand(receipt)))
    if receipt.state != "applied":
        return "interrupted: memfit undo takes it back"
    told = []
    live = [knob for knob in receipt.knobs if knob.when == "live"]
    if receipt.measured_bytes is not None and live:
        likely = sum(knob.likely_bytes for knob in live)
        told.append(f"{gib(receipt.measured_bytes)} more available at once, {gib(likely)} were predicted")
    if receipt.booted_bytes is not None:
        likely = sum(knob.likely_bytes for knob in receipt.knobs if knob.when == "reboot")
        told.append(f"MemTotal grew by {format_bytes(receipt.booted_bytes)} at the boot, {gib(likely)} were predicted")
    else:
        if receipt.waits_for_boot and _boot_alone(receipt):
            told.append("the rest comes with the next boot")
        told += by_hand(receipt)
    if receipt.boot is not None:
        told.append(_boot(receipt.boot))
    return "; ".join(told) or f"{len(receipt.changes)} changes"


def _boot_alone(receipt: Receipt) -> bool:
    """Whether a boot alone brings some of it."""
    return any(knob.when == "reboot" and not knob.by_hand for knob in receipt.knobs)


def by_hand(receipt: Receipt) -> tuple[str, ...]:
    """What somebody has to do beside a boot, each knob's words once with the knobs that they are of."""
    words = dict.fromkeys(knob.by_hand for knob in receipt.knobs if knob.by_hand)
    return tuple(
        f"{', '.join(knob.called for knob in receipt.knobs if knob.by_hand == said)}: {said}" for said in words
    )


def _boot(boot: Boot) -> str:
    if boot.state == "fell back":
        return f"the new command line did not prove itself, and the old one is back: {'; '.join(boot.reasons)}"
    words = {
        "begun": "the next boot tries the new command line",
        "trying": "this boot tries the new command line, and is not confirmed yet",
        "confirmed": "the new command line is confirmed",
    }
    return words.get(boot.state, boot.state)


def knobs(receipt: Receipt) -> Table:
    """What each knob was said to give."""
    columns = (
        Column("knob"),
        Column("low", "right"),
        Column("likely", "right"),
        Column("high", "right"),
        Column("when"),
    )
    rows: tuple[Row, ...] = tuple(
        (Cell(one.called), mib(one.low_bytes), mib(one.likely_bytes), mib(one.high_bytes), Cell(one.when))
        for one in receipt.knobs
    )
    return Table("Predicted, MiB", columns, rows)


def changes(receipt: Receipt) -> Table:
    """Every change with what was there before."""
    columns = (Column("changed", prose=True), Column("before", prose=True), Column("after", prose=True))
    rows: tuple[Row, ...] = tuple(
        (Cell(one.target), Cell(one.before, quiet=True), Cell(one.after)) for one in receipt.changes
    )
    return Table("Changes", columns, rows)


VIEW = View(record=Receipt, document=document, summary="what was changed on a machine, what it gave, how to go back")
