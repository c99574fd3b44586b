"""The parts of an audit that several views show."""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.audit_records import Audit, CheckVerdict, DramTerm, KnobRow, Layer, Reclaim
from memfit.render.document import Bullets, Cell, Column, Command, Headline, Note, Row, Table, Tone
from memfit.render.views._figures import gib, mib

_BLANK = Cell("")
LAYERS: dict[Layer, str] = {
    "firmware": "kept by firmware",
    "boot": "taken at boot",
    "kernel": "kernel",
    "drivers": "GPU and drivers",
    "user": "programs",
    "cache": "page cache",
    "free": "free",
}
_WORDS = {
    "allocation_bug": "large allocations",
    "ambient": "ambient temperature",
    "carveouts_camera": "carveouts: camera",
    "carveouts_display": "carveouts: display",
    "carveouts_video": "carveouts: video",
    "cma": "CMA",
    "cma_drivers": "CMA in use by drivers",
    "cma_free": "CMA, free",
    "clean_files": "clean",
    "crashkernel": "crash kernel",
    "dirty_files": "dirty",
    "dma_pools": "DMA pools",
    "fan": "cooling",
    "ftrace": "function tracer",
    "free_per_cpu": "in CPUs' own lists",
    "jetpack": "JetPack",
    "linear_map_tables": "page tables of all memory",
    "locked_files": "locked",
    "mapped_files": "mapped by programs",
    "memory_4gb": "4 GB available",
    "memory_5gb": "5 GB available",
    "nvmap": "NvMap",
    "nvmap_pool": "NvMap's pool",
    "percpu": "per-CPU memory",
    "percpu_boot": "per-CPU memory",
    "qspi_firmware": "QSPI firmware",
    "slab_reclaimable": "slab, reclaimable",
    "slab_unreclaimable": "slab",
    "swiotlb": "SWIOTLB",
    "tmpfs": "files in tmpfs",
    "zram": "zram",
}
_TONES: dict[CheckVerdict, Tone] = {"passed": "ok", "failed": "bad", "unknown": "warn", "not applicable": "neutral"}
_MARKS: dict[CheckVerdict, str] = {"passed": "passed", "failed": "failed", "unknown": "unknown", "not applicable": "–"}
_ORDER: tuple[CheckVerdict, ...] = ("failed", "unknown", "passed", "not applicable")


def words(name: str) -> str:
    """A term, reclaim or check as people read it."""
    return _WORDS.get(name, name.replace("_", " "))


def title(audit: Audit) -> str:
    """``Orin Nano 8GB (jetson)``, or the machine's name alone."""
    return f"{audit.board} ({audit.host})" if audit.board else audit.host


def headline(audit: Audit) -> Headline:
    """How much is left, and how much nobody can account for."""
    whole = audit.physical_bytes if audit.physical_bytes is not None else audit.linux_bytes
    if audit.available_bytes is None or not whole:
        return Headline("an image", "neutral", "nothing runs here, so there is no memory to account for")
    failed = sum(check.verdict == "failed" for check in audit.checks)
    left = f"{gib(audit.available_bytes)} available"
    if audit.cuda_bytes is not None:
        left += f", {gib(audit.cuda_bytes)} of it for CUDA"
    says = f"of {gib(whole)}; {_share(audit.unexplained_bytes or 0, whole)} unexplained"
    if failed:
        says += f"; {failed} {'check' if failed == 1 else 'checks'} failed"
    return Headline(left, "warn" if failed else "ok", says)


def layers(audit: Audit) -> Table:
    """Every layer with its items, each name once; ends in the physical memory."""
    whole = audit.physical_bytes or audit.linux_bytes or 1
    rows: list[Row] = []
    for layer, name in LAYERS.items():
        terms = [term for term in audit.terms if term.layer == layer]
        if not terms:
            continue
        total = sum(term.bytes for term in terms)
        rows.append((Cell(name), mib(total), Cell(_share(total, whole)), Cell(_reclaimable(terms, total))))
        for item, group in _by_name(terms).items():
            size = sum(term.bytes for term in group)
            held = _held_by(group) if layer != "firmware" else _kept_for(audit) or _held_by(group)
            rows.append((Cell(f"· {item}", quiet=True), mib(size, quiet=True), _BLANK, Cell(held, quiet=True)))
    rest = audit.unexplained_bytes or 0
    footers = (
        (Cell("unexplained"), mib(rest), Cell(_share(rest, whole)), _BLANK),
        (Cell("physical memory"), mib(whole), _BLANK, _BLANK),
    )
    columns = (
        Column("where"),
        Column("MiB", "right"),
        Column("share", "right", spare=True),
        Column("who", prose=True),
    )
    return Table("Where the memory is", columns, tuple(rows), footers)


# what a knob goes by where an audit has another word for it
_KNOB_OF = {"crashkernel": "crash_kernel", "nvmap_pool": "drop_caches"}


def reclaims(audit: Audit) -> Table:
    """What could be taken back, as ranges."""
    rows = tuple(
        (
            Cell(words(reclaim.name)),
            mib(reclaim.low_bytes, quiet=reclaim.low_bytes == reclaim.high_bytes),
            mib(reclaim.high_bytes),
            Cell(reclaim.when),
            Cell(reclaim.cost),
        )
        for reclaim in beside_knobs(audit)
    )
    columns = (
        Column("setting"),
        Column("low", "right"),
        Column("high", "right"),
        Column("when", spare=True),
        Column("what is given up", prose=True),
    )
    title = "What else could be taken back, MiB" if audit.knobs else "What could be taken back, MiB"
    return Table(title, columns, rows)


def beside_knobs(audit: Audit) -> tuple[Reclaim, ...]:
    """What no knob gives back and no advice speaks of, where they were asked."""
    told = {knob.name for knob in audit.knobs} | {one.name for one in audit.advice}
    return tuple(one for one in audit.reclaims if _KNOB_OF.get(one.name, one.name) not in told)


def advice(audit: Audit) -> Table:
    """What only its owner can decide; nothing of it is ever done."""
    rows = tuple((Cell(one.name), mib(one.bytes) if one.bytes else _BLANK, Cell(one.words)) for one in audit.advice)
    columns = (Column("what"), Column("holds", "right"), Column("advice", prose=True))
    return Table("Advice on what no knob touches, MiB", columns, rows)


def knobs(audit: Audit) -> Table:
    """Settings that would give memory back, as ``memfit apply`` makes them; for CUDA where that is another figure."""
    shown = [knob for knob in audit.knobs if knob.applies and knob.saves]
    cuda = any(knob.cuda_bytes is not None for knob in shown)
    rows = tuple(
        (
            Cell(knob.name),
            mib(knob.low_bytes, quiet=knob.low_bytes == knob.high_bytes),
            mib(knob.likely_bytes),
            mib(knob.high_bytes, quiet=knob.low_bytes == knob.high_bytes),
            *([_for_cuda(knob)] if cuda else []),
            Cell(knob.when),
            Cell(knob.cost, tone="warn" if knob.risk == "high" else "neutral"),
        )
        for knob in shown
    )
    columns = (
        Column("knob"),
        Column("low", "right", spare=True),
        Column("likely", "right"),
        Column("high", "right", spare=True),
        *([Column("for CUDA", "right")] if cuda else []),
        Column("when", spare=True),
        Column("what is given up", prose=True),
    )
    return Table("What `memfit apply` gives back, MiB", columns, rows)


def _for_cuda(knob: KnobRow) -> Cell:
    """What CUDA can allocate more: mostly what MemAvailable grows by, which is then said quietly."""
    return mib(knob.likely_bytes if knob.cuda_bytes is None else knob.cuda_bytes, quiet=knob.cuda_bytes is None)


def asked_knobs(audit: Audit) -> tuple[Note, ...]:
    """Which knobs take a value; nothing where none was asked."""
    names = sorted(knob.name for knob in audit.knobs if knob.takes)
    return (Note(f"with a value, of which `memfit list knobs` says more: {', '.join(names)}"),) if names else ()


def checks(audit: Audit, *, all_of_them: bool) -> Table:
    """The preflight list; what asks nothing of this machine only where all is asked for."""
    shown = [check for check in audit.checks if all_of_them or check.verdict != "not applicable"]
    shown.sort(key=lambda check: _ORDER.index(check.verdict))
    rows = tuple(
        (
            Cell(words(check.name)),
            Cell(_MARKS[check.verdict], tone=_TONES[check.verdict]),
            Cell(check.evidence, quiet=check.verdict == "not applicable"),
        )
        for check in shown
    )
    return Table("Before a model is loaded", (Column("check"), Column("verdict"), Column("evidence", prose=True)), rows)


def mends(audit: Audit) -> tuple[Command, ...]:
    """What mends failed checks, one command each."""
    commands: dict[str, list[str]] = {}
    for check in audit.checks:
        if check.mend is not None and check.verdict == "failed":
            commands.setdefault(check.mend, []).append(words(check.name))
    return tuple(Command(line, f"mends: {', '.join(names)}") for line, names in commands.items())


def engines(audit: Audit) -> Table:
    """Which engines run on this stack, from which version on, and who says so."""
    said = {True: Cell("runs", tone="ok"), False: Cell("does not run", tone="bad"), None: Cell("unknown", tone="warn")}
    rows = tuple(
        (Cell(found.engine), said[found.runs], Cell(found.minimum_version or ""), Cell(found.reason))
        for found in sorted(audit.engines, key=lambda found: (True, False, None).index(found.runs))
    )
    columns = (Column("engine"), Column("here"), Column("from version"), Column("why", prose=True))
    return Table("Engines on this stack", columns, rows)


def unseen(audit: Audit) -> tuple[Bullets, ...]:
    """What could not be looked at; nothing where all could."""
    return (Bullets(audit.unseen, tone="warn", title="Not seen"),) if audit.unseen else ()


def causes(audit: Audit) -> Table:
    """Known causes of what no counter shows."""
    rows = tuple(
        (Cell(cause.cause), mib(cause.low_bytes, quiet=True), mib(cause.high_bytes), Cell(cause.source, quiet=True))
        for cause in audit.explanations
    )
    columns = (
        Column("cause", prose=True),
        Column("low", "right", spare=True),
        Column("high", "right"),
        Column("known from", prose=True),
    )
    return Table("What may be behind it, MiB; none of it is added in", columns, rows)


def carveouts(audit: Audit) -> Table:
    """What firmware keeps, by the names of the boot configuration."""
    rows = tuple((Cell(entry.name), mib(entry.bytes), Cell(entry.use, quiet=True)) for entry in audit.carveouts)
    measured = sum(term.bytes for term in audit.terms if term.layer == "firmware")
    total = sum(entry.bytes for entry in audit.carveouts)
    footers = [(Cell("by the boot configuration"), mib(total), _BLANK)]
    if measured:
        footers.append((Cell("as measured: not Linux's"), mib(measured), _BLANK))
    columns = (Column("carveout"), Column("MiB", "right"), Column("for"))
    return Table("What firmware keeps memory for, MiB", columns, rows, tuple(footers))


_MOST_CARVEOUTS = 3


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if abs(part) * 1000 >= whole else f"{100 * part / whole:.2f} %"


def _kept_for(audit: Audit) -> str:
    """The largest carveouts by name: which hole is whose no log tells, and addresses tell nobody anything."""
    elsewhere = {term.holder for term in audit.terms if term.layer != "firmware"}
    named = [entry for entry in audit.carveouts if entry.name not in elsewhere]
    shown = ", ".join(f"{entry.name} {entry.bytes / 2**20:g}" for entry in named[:_MOST_CARVEOUTS])
    return shown + (f" and {len(named) - _MOST_CARVEOUTS} more" if len(named) > _MOST_CARVEOUTS else "")


def _reclaimable(terms: Iterable[DramTerm], total: int) -> str:
    size = sum(term.bytes for term in terms if term.evictable)
    return "" if not size else "the kernel can take it back" if size == total else f"{gib(size)} can be taken back"


def _by_name(terms: Iterable[DramTerm]) -> dict[str, list[DramTerm]]:
    """Terms of one name together, the largest sum first."""
    groups: dict[str, list[DramTerm]] = {}
    for term in terms:
        groups.setdefault(words(term.name), []).append(term)
    return dict(sorted(groups.items(), key=lambda item: -sum(term.bytes for term in item[1])))


def _held_by(group: list[DramTerm]) -> str:
    """The largest holders of one name; of what has none, what its source says of them."""
    named = [term for term in sorted(group, key=lambda term: (term.holder == "others", -term.bytes)) if term.holder]
    if not named:
        return group[0].evidence.partition("largest: ")[2]
    if len(named) == 1:
        return named[0].holder or ""
    shown = ", ".join(f"{term.holder} {term.bytes / 2**20:.0f}" for term in named[:3])
    return shown + (f" and {len(named) - 3} more" if len(named) > 3 else "")
