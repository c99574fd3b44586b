"""What a list of runs reads from the store: a row each, and no observation decoded."""

from __future__ import annotations

import msgspec

from memfit.measure._living import Who, lives
from memfit.measure.history import RunSummary
from memfit.measure.records import Outcome

LATEST = "runs JOIN events ON events.id = (SELECT max(id) FROM events WHERE run = runs.id)"
"""Each run with the last that was written of it."""

# found in the text: a damaged observation must not make the list unreadable. A quote inside of a text is escaped
_ENFORCED = (
    "CASE WHEN runs.limit_bytes IS NULL OR events.kind = 'began' THEN NULL"
    """ ELSE instr(events.observation, '"limit":{"mechanism":"none"') = 0 END"""
)
SUMMARY = (
    "runs.id, runs.began, runs.machine, runs.engine, runs.model, runs.format, runs.limit_bytes, events.outcome,"
    f" events.peak_pss_bytes, events.decode_tokens_per_s, events.duration_s, {_ENFORCED},"
    " runs.pid, runs.started, runs.boot"
)
"""The fields of ``RunSummary`` in their order, then whose run it is."""


def summary(row: tuple[object, ...]) -> RunSummary:
    """A row of ``SUMMARY``; a run whose process has gone is interrupted."""
    names = RunSummary.__struct_fields__
    fields = dict(zip(names, row, strict=False))
    fields["enforced"] = None if fields["enforced"] is None else bool(fields["enforced"])  # SQLite has numbers alone
    found = msgspec.convert(fields, RunSummary)
    who = msgspec.convert(row[len(names) :], tuple[int, int, str])
    if found.outcome == "running" and not lives(Who(*who)):
        interrupted: Outcome = "interrupted"
        return msgspec.structs.replace(found, outcome=interrupted)
    return found
