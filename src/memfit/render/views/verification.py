"""A prediction beside the run that tested it, term by term."""

from __future__ import annotations

from memfit.footprint.again import as_command
from memfit.footprint.records import Footprint
from memfit.measure.records import Growth, Judgement, ObservedTerm, Verification
from memfit.render.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Document,
    Fact,
    Facts,
    Headline,
    Row,
    Step,
    Table,
    Tone,
    Waterfall,
)
from memfit.render.views import _ledger as ledger
from memfit.render.views import _run as run
from memfit.render.views._figures import (
    VERDICT_WORDS,
    gib,
    mib,
    model_words,
    options_words,
    shell_command,
    term_words,
    title_words,
)
from memfit.render.views._view import View
from memfit.units import format_bytes

_TONES: dict[Judgement, Tone] = {"within": "ok", "under": "warn", "over": "bad", "killed": "bad", "paged": "warn"}
_BLANK = Cell("")


def document(verification: Verification) -> Document:
    """Verdict, what ran where, predicted beside observed, growth, phases, pictures."""
    footprint, observation = verification.predicted, verification.observation
    blocks: list[Block] = [_headline(verification), _facts(verification), _table(verification)]
    if verification.growth is not None:
        blocks.append(_growth(verification.growth))
    if phases := run.phases_table(observation):
        blocks.append(phases)
    if notes := tuple(_notes(verification)):
        blocks.append(Bullets(notes, "warn", "To know"))
    if verification.verdict in ("killed", "paged"):
        blocks.append(shell_command("what would make it fit", *as_command(footprint)))
    blocks.append(_waterfall(verification))
    if over_time := run.memory_over_time(observation):
        blocks.append(over_time)
    blocks.append(Details("Where each figure comes from", (ledger.sources(footprint),)))
    return Document(f"{title_words(footprint.model, footprint.device)}, verified", tuple(blocks))


def _headline(verification: Verification) -> Headline:
    predicted, observed = verification.compared_bytes, verification.observed.compared_bytes
    figures = (
        f"{format_bytes(predicted)} predicted, {format_bytes(observed)} observed, {verification.residual_ratio:+.1%}"
    )
    verdict, tone = verification.verdict, _TONES[verification.verdict]
    if verdict == "killed":
        return Headline(verdict, tone, f"{verification.reason or 'out of memory'}; {_foretold(verification)}")
    if verdict == "paged":
        return Headline(verdict, tone, f"{verification.reason}; {_foretold(verification)}")
    if not verification.runs:
        return Headline("not judged", "warn", f"{verification.reason}; {figures}")
    return Headline(verdict, tone, figures)


def _foretold(verification: Verification) -> str:
    """Whether the prediction said so."""
    footprint = verification.predicted
    said = VERDICT_WORDS[footprint.verdict]
    needs = f"{gib(footprint.required_bytes)} must stay in memory"
    return f"predicted: {said}, {needs} of {gib(footprint.capacity_bytes)}"


def _facts(verification: Verification) -> Facts:
    footprint, observation = verification.predicted, verification.observation
    items = [
        Fact("model", model_words(footprint.model)),
        Fact("options", options_words(footprint.deployment.options)),
        Fact("engine", run.engine_words(observation)),
        Fact("machine", run.machine_words(observation)),
        Fact("limit", run.limit_words(observation.limit)),
        Fact("workload", run.workload_words(observation.workload)),
        Fact("speed", run.speed_words(observation, verification.unlimited_decode_tokens_per_s)),
        Fact("paging", run.paging_words(observation.paging)),
    ]
    if observation.limit.limit_bytes is not None and observation.outcome != "interrupted":
        items.append(Fact("runs in it", f"{'yes' if verification.runs else 'no'}: {verification.reason}"))
    if footprint.learned is not None:
        items.append(Fact("calibrated", ledger.learned_words(footprint.learned)))
    if observation.id:
        items.append(Fact("kept", f"as run {observation.id}: memfit runs show {observation.id}"))
    return Facts(tuple(items))


def _table(verification: Verification) -> Table:
    footprint, seen = verification.predicted, verification.observed
    high = _highs(footprint)
    rows = tuple(_row(term, high.get(term.name)) for term in seen.terms)
    columns = (
        Column("term"),
        Column("likely", "right"),
        Column("high", "right", spare=True),
        Column("reserved", "right", spare=True),
        Column("touched", "right"),
        Column("off", "right"),
    )
    return Table("Predicted and observed, MiB", columns, rows, tuple(_footers(verification)))


def _highs(footprint: Footprint) -> dict[str, int]:
    found: dict[str, int] = {}
    for term in footprint.terms:
        if ledger.is_counted(term):
            found[term.name] = found.get(term.name, 0) + term.high_bytes
    return found


def _row(term: ObservedTerm, high_bytes: int | None) -> Row:
    return (
        Cell(term_words(term.name)),
        mib(term.predicted_bytes),
        _BLANK if high_bytes is None else mib(high_bytes, quiet=True),
        _BLANK if term.reserved_bytes is None else mib(term.reserved_bytes, quiet=True),
        _BLANK if term.touched_bytes is None else mib(term.touched_bytes),
        _BLANK if term.residual_bytes is None else mib(term.residual_bytes),
    )


def _footers(verification: Verification) -> list[Row]:
    footprint, seen = verification.predicted, verification.observed
    rows: list[Row] = []
    apart = [term for term in seen.terms if term.touched_bytes is not None]
    rest = [term for term in seen.terms if term.touched_bytes is None and term.predicted_bytes]
    if apart and rest:
        predicted = sum(term.predicted_bytes for term in rest)
        left = seen.compared_bytes - sum(term.touched_bytes or 0 for term in apart)
        names = "everything else"
        rows.append((Cell(names), mib(predicted), _BLANK, _BLANK, mib(left), mib(left - predicted)))
    unevictable = footprint.high_bytes - footprint.evictable_bytes
    rows.append((Cell("cannot be dropped"), _BLANK, mib(unevictable), _BLANK, mib(seen.unevictable_bytes), _BLANK))
    if seen.peak_limit_bytes is not None:
        charged = "charged to the limit, with page cache"
        rows.append((Cell(charged), _BLANK, _BLANK, _BLANK, mib(seen.peak_limit_bytes), _BLANK))
    if elsewhere := verification.observation.mapped_elsewhere_bytes:
        shared = "libraries and files that other programs map too"
        rows.append((Cell(shared, quiet=True), _BLANK, _BLANK, _BLANK, mib(elsewhere, quiet=True), _BLANK))
    tone = _TONES[verification.verdict]
    rows.append(
        (
            Cell("total, at the peak"),
            mib(verification.compared_bytes),
            mib(footprint.high_bytes),
            _BLANK,
            mib(seen.compared_bytes),
            mib(verification.residual_bytes, tone=tone),
        )
    )
    return rows


def _growth(growth: Growth) -> Facts:
    low, high = growth.low_bytes_per_round, growth.high_bytes_per_round
    slope = f"{_signed(growth.bytes_per_round)} a round (95 %: {_signed(low)} to {_signed(high)})"
    verdict = "a leak: it grows round after round" if growth.leaks else "none that differs from noise"
    return Facts(
        (
            Fact("growth", verdict),
            Fact("slope", f"{slope}, over {growth.rounds} rounds"),
            Fact("warm-up", f"{format_bytes(growth.warm_up_bytes)} until it settled"),
        )
    )


def _signed(size: float) -> str:
    return f"{'+' if size > 0 else '−' if size < 0 else ''}{format_bytes(abs(round(size)))}"


def _notes(verification: Verification) -> list[str]:
    observation = verification.observation
    notes = [*verification.notes, *verification.predicted.warnings]
    if observation.limit.limit_bytes is None and observation.limit.note:
        notes.append(observation.limit.note)
    if observation.outcome == "interrupted":
        notes.insert(0, f"not run to its end: {observation.reason}")
    return notes


def _waterfall(verification: Verification) -> Waterfall:
    footprint, seen = verification.predicted, verification.observed
    touched = {term.name: term.touched_bytes for term in seen.terms}
    steps = []
    for term in footprint.terms:
        if ledger.is_counted(term) and term.high_bytes:
            drawn = ledger.step(ledger.picture_name(footprint, term), (term,))
            steps.append((drawn, touched.get(term.name) if not ledger.several_pools(footprint) else None))
    total = Step(
        name="total",
        low_bytes=footprint.low_bytes,
        likely_bytes=footprint.likely_bytes,
        high_bytes=footprint.high_bytes,
        evictable_bytes=footprint.evictable_bytes,
        observed_bytes=seen.compared_bytes,
        tone=_TONES[verification.verdict],
    )
    limit = verification.limit_bytes
    return Waterfall(
        title="Predicted, and what was observed",
        description=(
            f"{len(steps)} terms, {gib(footprint.likely_bytes)} likely and {gib(footprint.high_bytes)} at most;"
            f" {gib(seen.compared_bytes)} was observed."
        ),
        steps=tuple(_marked(step, size) for step, size in steps),
        totals=(total,),
        capacity_bytes=limit,
        capacity_name="limit",
    )


def _marked(step: Step, observed_bytes: int | None) -> Step:
    import msgspec

    return msgspec.structs.replace(step, observed_bytes=observed_bytes)


VIEW = View(record=Verification, document=document, summary="a prediction beside the run that tested it")
