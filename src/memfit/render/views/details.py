"""Everything else that a run showed: its further meters over time, and the end of what the engine printed."""

from __future__ import annotations

from memfit.measure.records import Observation, Reading
from memfit.render.document import Block, Document, Note, Timeline, Trace
from memfit.render.drawing.scale import amount_text
from memfit.render.views import _run as run
from memfit.render.views._view import View
from memfit.render.views.observation import run_title

_MOST_LINES = 200
_MOST_TRACES = 5
_KINDS = {
    "bytes": "memory",
    "mw": "power",
    "c": "temperature",
    "hz": "clocks",
    "ratio": "load",
    "s": "time",
    "count": "how many",
    "tokens_per_s": "speed",
}


def document(observation: Observation) -> Document:
    """A table, a picture for every meter and unit, the log."""
    blocks: list[Block] = []
    if table := run.readings_table(observation):
        blocks += [table, *_pictures(observation.readings)]
    else:
        blocks.append(Note("No further meter had anything to read."))
    if said := run.said_last(observation, _MOST_LINES):
        blocks.append(said)
    return Document(f"{run_title(observation)}, details", tuple(blocks))


def _pictures(readings: tuple[Reading, ...]) -> list[Timeline]:
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        # one that never moved tells nothing that the table does not
        if len(reading.values) >= 3 and min(reading.values) < max(reading.values):
            groups.setdefault((reading.meter, reading.unit), []).append(reading)
    return [_picture(meter, unit, group) for (meter, unit), group in groups.items()]


def _picture(meter: str, unit: str, readings: list[Reading]) -> Timeline:
    drawn = sorted(readings, key=lambda reading: -max(reading.values))[:_MOST_TRACES]
    traces = tuple(
        Trace(
            name=run.figure_words(reading.name), at_s=reading.at_s, values=reading.values, leading=reading is drawn[0]
        )
        for reading in drawn
    )
    peaks = ", ".join(f"{run.figure_words(reading.name)} {amount_text(max(reading.values), unit)}" for reading in drawn)
    return Timeline(
        title=f"{run.figure_words(meter)}: {_KINDS.get(unit, unit)}",
        description=f"At most: {peaks}.",
        traces=traces,
        unit=unit,
    )


VIEW = View(record=Observation, document=document, summary="a run's further meters and the engine's last words")
