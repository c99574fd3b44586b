"""The ledger of a footprint, as tables and pictures that several views show."""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.records import Device
from memfit.engine.records import Term
from memfit.footprint.filling import Filled
from memfit.footprint.records import Footprint, Learned
from memfit.render.document import Cell, Column, Fact, Facts, Headline, MemoryMap, Row, Segment, Step, Table, Waterfall
from memfit.render.views._figures import (
    VERDICT_TONES,
    VERDICT_WORDS,
    device_words,
    gib,
    mib,
    model_words,
    options_words,
    term_words,
    verdict_sentence,
)

_BLANK = Cell("")


def headline(footprint: Footprint) -> Headline:
    """The verdict and what it means."""
    return Headline(
        VERDICT_WORDS[footprint.verdict], VERDICT_TONES[footprint.verdict], f"{verdict_sentence(footprint)}"
    )


def facts(footprint: Footprint) -> Facts:
    """What was asked: model, options, engine, device; and what runs taught about it."""
    items = (
        Fact("model", model_words(footprint.model)),
        Fact("options", options_words(footprint.deployment.options, pooled=_pooled(footprint))),
        Fact("engine", footprint.engine),
        Fact("device", device_words(footprint.device)),
    )
    return Facts(items if footprint.learned is None else (*items, Fact("calibrated", learned_words(footprint.learned))))


def _pooled(footprint: Footprint) -> bool:
    """Whether the engine reads the options in another way than llama.cpp."""
    from memfit.engine.runtimes import ENGINES

    return ENGINES.get(footprint.deployment.engine).only_sized


FILLED_WORDS: dict[Filled, str] = {
    "ubatch": "",
    "context": " with its context full",
    "part": " with as short a prompt",
}


def learned_words(learned: Learned) -> str:
    """``by 3 runs of this setting here, the last on 2026-11-25; 812.4 MiB without``."""
    runs = f"{learned.runs} run{'s' if learned.runs > 1 else ''}"
    of = f"of {learned.settings} other settings"
    if learned.of == "setting":
        of = f"of this setting{FILLED_WORDS[learned.filled or 'ubatch']}"
    last = f", the last on {learned.last[:10]}" if learned.last else ""
    return f"by {runs} {of} on {learned.machine}{last}; likely {gib(learned.uncalibrated_bytes)} without"


def is_counted(term: Term) -> bool:
    """Whether the sums add it up; what the system holds is already out of the capacity."""
    return term.pool != "system"


def several_pools(footprint: Footprint) -> bool:
    """Whether CPU and GPU have memories of their own, so that a term's pool must be told."""
    return len({term.pool for term in footprint.terms if is_counted(term)}) > 1


def picture_name(footprint: Footprint, term: Term) -> str:
    """A term in a picture, where no column tells its pool."""
    words = term_words(term.name)
    return f"{words} ({term.pool})" if several_pools(footprint) else words


def figures(name: str, terms: Iterable[Term], *, quiet: bool = False) -> Row:
    """Name, low, likely, high and evictable of one line, summed over its terms."""
    group = tuple(terms)
    return (
        Cell(name, quiet=quiet),
        mib(sum(term.low_bytes for term in group), quiet=True),
        mib(sum(term.likely_bytes for term in group), quiet=quiet),
        mib(sum(term.high_bytes for term in group), quiet=quiet),
        mib(sum(term.evictable_bytes for term in group), quiet=quiet),
    )


FIGURE_COLUMNS = (
    Column("low", "right", spare=True),
    Column("likely", "right"),
    Column("high", "right"),
    Column("evictable", "right", spare=True),
)


def footers(footprint: Footprint, *, cells_before: int = 0, cells_after: int = 1) -> tuple[Row, ...]:
    """The sums and how they meet the capacity, for a table of name, ``cells_before``, the figures, ``cells_after``."""
    before, after = (_BLANK,) * cells_before, (_BLANK,) * cells_after

    def line(name: str, *cells: Cell) -> Row:
        return (Cell(name), *before, *cells, *after)

    tone = VERDICT_TONES[footprint.verdict]
    short = footprint.headroom_bytes < 0
    rows = [
        line(
            "total",
            mib(footprint.low_bytes, quiet=True),
            mib(footprint.likely_bytes),
            mib(footprint.high_bytes),
            mib(footprint.evictable_bytes),
        )
    ]
    if footprint.working_set_bytes:
        rows.append(line("read for every token", _BLANK, _BLANK, _BLANK, mib(footprint.working_set_bytes)))
    rows += [
        line("must stay in memory", _BLANK, _BLANK, mib(footprint.required_bytes), _BLANK),
        line("capacity", _BLANK, _BLANK, mib(footprint.capacity_bytes), _BLANK),
        (
            Cell("short" if short else "to spare", tone=tone),
            *before,
            _BLANK,
            _BLANK,
            mib(abs(footprint.headroom_bytes), tone=tone),
            _BLANK,
            *after,
        ),
    ]
    return tuple(rows)


def sources(footprint: Footprint) -> Table:
    """How each figure is known: its formula, its error bar, and what it consists of."""
    rows: list[Row] = []
    for term in footprint.terms:
        known = f"{term.formula} (error: {term.error})" if term.error else term.formula
        rows.append((Cell(term_words(term.name)), mib(term.high_bytes), Cell(term.source), Cell(known)))
        rows += [
            (Cell(f"· {part.name}", quiet=True), mib(part.bytes, quiet=True), _BLANK, _BLANK) for part in term.parts
        ]
    columns = (Column("term"), Column("high", "right"), Column("source"), Column("how it is known", prose=True))
    return Table("Where each figure comes from, MiB", columns, tuple(rows))


def waterfall(footprint: Footprint, steps: Iterable[Step]) -> Waterfall:
    """The steps against the capacity, ending in what must stay in memory."""
    shown = tuple(step for step in steps if step.high_bytes)
    total = Step(
        name="total",
        low_bytes=footprint.low_bytes,
        likely_bytes=footprint.likely_bytes,
        high_bytes=footprint.high_bytes,
        evictable_bytes=footprint.evictable_bytes,
    )
    required = Step(
        name="must stay",
        low_bytes=footprint.required_bytes,
        likely_bytes=footprint.required_bytes,
        high_bytes=footprint.required_bytes,
        tone=VERDICT_TONES[footprint.verdict],
    )
    return Waterfall(
        title="How it adds up",
        description=(
            f"{len(shown)} terms add up to {gib(footprint.high_bytes)} at most, "
            f"of which {gib(footprint.required_bytes)} must stay in memory; "
            f"the capacity is {gib(footprint.capacity_bytes)}."
        ),
        steps=shown,
        totals=(total, required),
        capacity_bytes=footprint.capacity_bytes,
    )


def step(name: str, terms: Iterable[Term]) -> Step:
    """One bar for one or several terms."""
    group = tuple(terms)
    return Step(
        name=name,
        low_bytes=sum(term.low_bytes for term in group),
        likely_bytes=sum(term.likely_bytes for term in group),
        high_bytes=sum(term.high_bytes for term in group),
        evictable_bytes=sum(term.evictable_bytes for term in group),
    )


def memory_map(footprint: Footprint) -> MemoryMap:
    """The whole DRAM: what is gone before a deployment, what must stay in memory, what is left."""
    terms = (
        Segment(
            name=picture_name(footprint, term),
            bytes=term.high_bytes - term.evictable_bytes + term.working_set_bytes,
        )
        for term in footprint.terms
        if is_counted(term)
    )
    return device_map(footprint.device, footprint.capacity_bytes, tuple(terms))


def device_map(device: Device, capacity_bytes: int, use: tuple[Segment, ...]) -> MemoryMap:
    """The device's DRAM with ``use`` laid into its capacity."""
    system: list[Segment] = []
    whole = capacity_bytes
    # what lies below MemTotal, and between MemTotal and the module's size, is known only where both ends are
    if device.total_bytes is not None and device.total_bytes >= capacity_bytes:
        whole = device.total_bytes
        taken = device.total_bytes - capacity_bytes
        system.append(Segment(name="OS", bytes=min(taken, device.os_bytes), role="system"))
        system.append(Segment(name="kept back", bytes=max(taken - device.os_bytes, 0), role="system"))
        if device.physical_bytes is not None and device.physical_bytes >= whole:
            system.insert(0, Segment(name="carveouts", bytes=device.physical_bytes - whole, role="system"))
            whole = device.physical_bytes
    used = sum(segment.bytes for segment in use)
    free = Segment(name="free", bytes=max(capacity_bytes - used, 0), role="free")
    segments = tuple(segment for segment in (*system, *use, free) if segment.bytes > 0)
    place = "The device's memory" if system else "The capacity"
    title = f"{place}, and what must stay in it" if use else place
    taken_text = f"{gib(used)} in use, " if use else ""
    return MemoryMap(
        title=title,
        description=f"Of {gib(whole)}, {taken_text}{gib(free.bytes)} free, in {len(segments)} parts.",
        segments=segments,
        total_bytes=whole,
    )
