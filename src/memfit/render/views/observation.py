"""A run that was kept: what ran, what it held, what it met, memory over time."""

from __future__ import annotations

from pathlib import PurePath

from memfit.measure.records import Observation, Outcome
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
    Table,
    Tone,
)
from memfit.render.views import _run as run
from memfit.render.views._figures import gib, mib, options_words, term_words
from memfit.render.views._view import View

_LAST_LINES = 12
TONES: dict[Outcome, Tone] = {
    "completed": "ok",
    "running": "neutral",
    "interrupted": "warn",
    "killed": "bad",
    "failed": "bad",
    "hung": "bad",
}


def document(observation: Observation) -> Document:
    """Outcome, facts, sizes, phases, buffers, the picture, further meters, and what the engine said last."""
    blocks: list[Block] = [_headline(observation), _facts(observation)]
    if observation.peak_pss_bytes:  # a run that was cut off at once has nothing to show
        blocks.append(_sizes(observation))
    if phases := run.phases_table(observation):
        blocks.append(phases)
    if observation.buffers:
        blocks.append(_buffers(observation))
    if over_time := run.memory_over_time(observation):
        blocks.append(over_time)
    if observation.limit.limit_bytes is None and observation.limit.note:
        blocks.append(Bullets((observation.limit.note,), "warn", "To know"))
    said = run.said_last(observation, _LAST_LINES)
    failed = observation.outcome in ("failed", "hung", "killed")
    if said and failed:
        blocks.append(said)
    readings = run.readings_table(observation)
    closed = tuple(block for block in (readings, None if failed else said) if block is not None)
    if closed:
        blocks.append(Details("What further meters saw, and what the engine said", closed, view="details"))
    return Document(run_title(observation), tuple(blocks))


def run_title(observation: Observation) -> str:
    """``run 7: Llama-3.2-1B-Q4_K_M.gguf``."""
    name = f"run {observation.id}" if observation.id else "a run"
    return f"{name}: {model_name(observation.deployment.model)}"


def model_name(model: str) -> str:
    """A file's name without its folder; the name of a card as it is."""
    return PurePath(model).name or model


def _headline(observation: Observation) -> Headline:
    held = f"{gib(observation.peak_pss_bytes)} at the peak"
    if observation.outcome == "running" and not observation.reason:
        return Headline("running", "neutral", f"since {observation.began}")
    sentence = f"{held} · {run.speed_words(observation)}"
    if observation.outcome != "completed":
        reason = observation.reason or "no reason was kept"
        sentence = f"{reason}; {held}" if observation.peak_pss_bytes else f"{reason}; what it held is not known"
    return Headline(observation.outcome, TONES[observation.outcome], sentence)


def _facts(observation: Observation) -> Facts:
    items = [
        Fact("model", observation.deployment.model),
        Fact("options", options_words(observation.deployment.options)),
        Fact("engine", run.engine_words(observation)),
        Fact("machine", run.machine_words(observation)),
        Fact("limit", run.limit_words(observation.limit)),
        Fact("workload", run.workload_words(observation.workload)),
        Fact("began", f"{observation.began}, took {run.duration_words(observation.duration_s)}"),
        Fact("speed", run.speed_words(observation)),
        Fact("paging", run.paging_words(observation.paging)),
    ]
    if observation.memfit_version:
        items.append(Fact("kept by", f"memfit {observation.memfit_version}"))
    return Facts(tuple(items))


def _sizes(observation: Observation) -> Table:
    rows: list[Row] = [
        (Cell("peak"), mib(observation.peak_pss_bytes), Cell("PSS of the run's processes")),
        (Cell("cannot be dropped"), mib(observation.unevictable_bytes), Cell("anonymous, shared and kernel memory")),
    ]
    if observation.peak_limit_bytes is not None:
        charged = Cell("charged to the control group, page cache included")
        rows.append((Cell("charged"), mib(observation.peak_limit_bytes), charged))
    columns = (Column("at most"), Column("MiB", "right"), Column("what it is", prose=True))
    return Table("Memory", columns, tuple(rows))


def _buffers(observation: Observation) -> Table:
    rows = tuple(
        (
            Cell(term_words(buffer.term)),
            Cell(buffer.name, quiet=True),
            mib(buffer.reserved_bytes),
            Cell("") if buffer.touched_bytes is None else mib(buffer.touched_bytes),
        )
        for buffer in observation.buffers
    )
    columns = (Column("term"), Column("buffer", spare=True), Column("reserved", "right"), Column("touched", "right"))
    return Table("Buffers, MiB", columns, rows)


VIEW = View(record=Observation, document=document, summary="a run that was kept, with its memory over time")
