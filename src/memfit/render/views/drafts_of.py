"""The drafts of a model: what they take beside it, what they bring, and which cannot."""

from __future__ import annotations

from memfit.engine.records import Deployment
from memfit.fit.drafts import ACCEPTANCE, ENGINE, DraftRow, DraftsOf, gain_at
from memfit.fit.exact import options_of
from memfit.fit.sizes import PROGRAM
from memfit.footprint.again import command_of
from memfit.render.document import Block, Bullets, Cell, Column, Document, Headline, Row, Table
from memfit.render.views._figures import gib, parameter_words, shell_command
from memfit.render.views._view import View
from memfit.units import GIB, format_tokens

_MOST_REFUSED = 8


def document(found: DraftsOf) -> Document:
    """The best, the table, and what to know."""
    target = found.target
    fitting = [row for row in found.drafts if row.fits]
    beside = f"beside {target.model} {target.format} at a context of {format_tokens(target.at_tokens)}"
    if fitting and gain_at(fitting[0]) > 1:
        words = f"{beside}, {gain_at(fitting[0]):.1f} times as fast where {ACCEPTANCE:.0%} of its tokens are accepted"
        blocks: list[Block] = [Headline(fitting[0].draft, "ok", words)]
    elif fitting:
        blocks = [Headline(fitting[0].draft, "ok", f"fits {beside}; what it brings is not known here")]
    else:
        none = "drafts for it" if not found.drafts else "fits"
        blocks = [Headline("no draft", "bad", f"{none} {beside}, {gib(found.device.capacity_bytes)} in all")]
    if found.drafts:
        columns = (
            Column("draft", prose=True),
            Column("size", "right"),
            Column("format"),
            Column("GiB, both", "right"),
            Column("spare", "right"),
            Column("pays from", "right"),
            *(Column(f"at {share:.0%}", "right") for share in _SHARES),
            Column("verdict"),
        )
        blocks.append(Table("By what they bring", columns, tuple(_row(row) for row in found.drafts)))
    if found.refused:
        shown = found.refused[:_MOST_REFUSED]
        title = "Smaller, but with other tokens"
        title += f": {len(shown)} of {len(found.refused)}" if len(shown) < len(found.refused) else ""
        rows = tuple((Cell(one.draft), Cell(one.compatibility.reason)) for one in shown)
        blocks.append(Table(title, (Column("model", prose=True), Column("why not", prose=True)), rows))
    blocks.append(Bullets(found.notes, "neutral", "What to know"))
    if fitting:
        deployment = Deployment(
            model=target.model,
            format=None if target.as_stored else target.format,
            draft=fitting[0].draft,
            options=options_of(found.device, found.wish, ENGINE, target.at_tokens),
        )
        blocks.append(shell_command("the arithmetic of the first", *command_of(deployment, found.device, PROGRAM)))
    return Document(f"Drafts for {target.model} on {found.device.name}", tuple(blocks))


_SHARES = (0.5, ACCEPTANCE, 0.9)


def _row(row: DraftRow) -> Row:
    found = row.speculation
    gains = {} if found is None else {gain.acceptance: gain for gain in found.gains}
    pays = "" if found is None else "never" if found.break_even is None else f"{found.break_even:.0%}"
    return (
        Cell(row.draft),
        Cell(parameter_words(row.parameters)),
        Cell(row.format),
        Cell(f"{row.required_bytes / GIB:.2f}", exact=f"{row.required_bytes} bytes"),
        Cell(f"{row.headroom_bytes / GIB:.2f}", exact=f"{row.headroom_bytes} bytes"),
        Cell(pays),
        *(
            Cell(f"{gains[share].speed_up:.1f}× ({gains[share].drafted})" if share in gains else "")
            for share in _SHARES
        ),
        Cell("fits" if row.fits else "does not fit", "ok" if row.fits else "bad"),
    )


VIEW = View(record=DraftsOf, document=document, summary="smaller models that can draft for one, and what they bring")
