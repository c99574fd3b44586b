"""Move pages together once: larger pieces in a row, no more memory."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, ValueChange
from memfit.knob.records import Effect, Gain

_PATH = "/proc/sys/vm/compact_memory"


class Compaction(msgspec.Struct, frozen=True, kw_only=True):
    """There is nothing to know but that the kernel can."""


def read(host: Host, audit: Audit) -> Compaction | None:
    """None where nothing runs, or the kernel cannot."""
    return Compaction() if audit.terms and host.glob(_PATH) else None


def effect(state: Compaction) -> Effect:
    """No memory, so it is done by name alone."""
    evidence = "no memory: pieces in a row for huge pages, CMA and drivers become larger"
    return Effect(applies=True, gain=Gain(evidence=evidence), cost="done once: a core is busy for a while", saves=False)


def change(state: Compaction) -> tuple[Change, ...]:
    """One write, which has no way back and needs none."""
    return (ValueChange(path=_PATH, text="1", why="move pages together once"),)


KNOB = Knob(
    summary="move pages together once",
    layer="kernel",
    paths=(_PATH,),
    read=read,
    effect=effect,
    change=change,
    aliases=("compact_memory", "defragment"),
)
