"""Two runs side by side: what was run differently, and what that changed."""

from __future__ import annotations

from memfit.measure.history import Change, RunComparison
from memfit.measure.records import Observation
from memfit.render.document import Block, Cell, Column, Document, Headline, Note, Row, Table, Timeline, Tone
from memfit.render.views import _run as run
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View
from memfit.render.views.observation import TONES, model_name
from memfit.units import format_bytes

_BLANK = Cell("")


def document(comparison: RunComparison) -> Document:
    """What changed at the peak, what was run differently, figures, phases, both over time."""
    names = _names(comparison)
    blocks: list[Block] = [_headline(comparison), _changes(comparison, names), _figures(comparison, names)]
    if phases := _phases(comparison, names):
        blocks.append(phases)
    if over_time := _over_time(comparison, names):
        blocks.append(over_time)
    first, second = (model_name(one.deployment.model) for one in (comparison.first, comparison.second))
    models = first if first == second else f"{first} and {second}"
    return Document(f"{' and '.join(names)}: {models}", tuple(blocks))


def _names(comparison: RunComparison) -> tuple[str, str]:
    first, second = comparison.first.id, comparison.second.id
    return (f"run {first}", f"run {second}") if first and second else ("the first", "the second")


def _headline(comparison: RunComparison) -> Headline:
    size = comparison.peak_pss_difference_bytes
    peak = "the same peak" if not size else f"{_signed(size)} at the peak"
    second = comparison.second.outcome
    tone: Tone = "neutral" if second == comparison.first.outcome else TONES[second]
    words = [f"{comparison.first.outcome}, then {second}"] if second != comparison.first.outcome else []
    if comparison.decode_ratio is not None:
        words.append(f"decode at {comparison.decode_ratio:.0%} of the speed")
    count = len(comparison.changes)
    words.append("run alike" if not count else f"run with {count} difference{'s' if count > 1 else ''}")
    return Headline(peak, tone, "; ".join(words))


def _changes(comparison: RunComparison, names: tuple[str, str]) -> Block:
    if not comparison.changes:
        return Note("Machine, engine, deployment, workload and limit were the same.")
    rows = tuple(
        (Cell(_words(change.name)), Cell(_text(change, change.first)), Cell(_text(change, change.second)))
        for change in comparison.changes
    )
    return Table("Run differently", (Column("what"), Column(names[0]), Column(names[1])), rows)


def _words(name: str) -> str:
    room, _, rest = name.partition(".")
    words = rest.removeprefix("options.") or room
    return f"{words} of the {room}" if room in ("machine", "engine") and rest else words


def _text(change: Change, value: str | float | bool | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and change.name.endswith("_bytes"):
        return gib(value)
    return str(value)


def _figures(comparison: RunComparison, names: tuple[str, str]) -> Table:
    first, second = comparison.first, comparison.second
    rows: list[Row] = [
        _sizes("peak, MiB", first.peak_pss_bytes, second.peak_pss_bytes),
        _sizes("cannot be dropped, MiB", first.unevictable_bytes, second.unevictable_bytes),
        _sizes("charged, MiB", first.peak_limit_bytes, second.peak_limit_bytes),
        _speeds("prompt, tokens/s", first.prompt_tokens_per_s, second.prompt_tokens_per_s),
        _speeds("decode, tokens/s", first.decode_tokens_per_s, second.decode_tokens_per_s),
        _speeds("took, s", first.duration_s, second.duration_s),
        _counts("major faults", first.paging.major_faults, second.paging.major_faults),
        _counts("pages read again", first.paging.refaults, second.paging.refaults),
        (
            Cell("outcome"),
            *(Cell(one.outcome, tone=TONES[one.outcome]) for one in (first, second)),
            _BLANK,
        ),
    ]
    shown = tuple(row for row in rows if row[1].text or row[2].text)
    return Table("Side by side", _columns("", names), shown)


def _phases(comparison: RunComparison, names: tuple[str, str]) -> Table | None:
    """PSS in the phases that both have, in the order of the first."""
    first, second = (_pss(one) for one in (comparison.first, comparison.second))
    rows = tuple(_sizes(name, size, second[name]) for name, size in first.items() if name in second)
    return Table("PSS by phase, MiB", _columns("phase", names), rows) if rows else None


def _pss(observation: Observation) -> dict[str, int]:
    return {phase.name: phase.pss_bytes for phase in observation.phases[:20]}


def _columns(title: str, names: tuple[str, str]) -> tuple[Column, ...]:
    return (Column(title), *(Column(name, "right") for name in names), Column("difference", "right"))


def _sizes(name: str, first: int | None, second: int | None) -> Row:
    figures = (_BLANK if size is None else mib(size) for size in (first, second))
    difference = _BLANK if first is None or second is None else mib(second - first)
    return (Cell(name), *figures, difference)


def _speeds(name: str, first: float | None, second: float | None) -> Row:
    figures = (_BLANK if speed is None else Cell(f"{speed:.1f}") for speed in (first, second))
    ratio = f"{second / first - 1:+.0%}".replace("-", "−") if first and second is not None else ""
    return (Cell(name), *figures, Cell(ratio))


def _counts(name: str, first: int, second: int) -> Row:
    difference = f"{second - first:+d}".replace("-", "−") if second != first else "0"
    return (Cell(name), Cell(str(first)), Cell(str(second)), Cell(difference, quiet=second == first))


def _over_time(comparison: RunComparison, names: tuple[str, str]) -> Timeline | None:
    first = run.resident_trace(comparison.first, names[0], leading=True)
    second = run.resident_trace(comparison.second, names[1])
    if first is None or second is None:
        return None
    limits = {one.limit.limit_bytes for one in (comparison.first, comparison.second)}
    limit = limits.pop() if len(limits) == 1 else None
    peaks = " and ".join(gib(int(max(trace.values))) for trace in (first, second))
    return Timeline(
        title="Resident memory over time",
        description=f"{names[0]} and {names[1]}: {peaks} at most.",
        traces=(first, second),
        limit=limit,
    )


def _signed(size: int) -> str:
    return f"{'+' if size > 0 else '−'}{format_bytes(abs(size))}"


VIEW = View(record=RunComparison, document=document, summary="two runs side by side")
