"""Hold clocks at their highest until the next boot: speed and no memory, for more power and heat."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, RunChange
from memfit.knob.records import Effect, Gain, not_here

_SUMMARY = "hold clocks at their highest until the next boot"
_PROGRAM = "/usr/bin/jetson_clocks"
_KEPT = "/run/memfit-clocks-"
"""Where the program keeps what was, until the next boot, which forgets both. It refuses to write where a file is, so
every audit has a name of its own."""
_MEMORY = ("emc", "bwmgr")  # its range stays open: the program overrides the rate


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the program may keep what was; ``held`` are clocks whose range is one point, ``free`` the others."""

    kept: str
    held: tuple[str, ...]
    free: tuple[str, ...]


def read(host: Host, audit: Audit) -> Clocks | None:
    """None without jetson_clocks, and on an image."""
    if not host.live or not host.glob(_PROGRAM):
        return None
    known = [clock for clock in audit.clocks if clock.high_hz is not None and clock.name not in _MEMORY]
    held = tuple(clock.name for clock in known if clock.low_hz == clock.high_hz)
    free = tuple(clock.name for clock in known if clock.low_hz != clock.high_hz)
    return Clocks(kept=_KEPT + re.sub(r"\D", "", audit.taken)[:14], held=held, free=free)


def effect(state: Clocks) -> Effect:
    """Speed alone, so it is done by name."""
    if state.held and not state.free:
        return not_here("every clock is held already")
    names = ", ".join(state.free) or "clocks"
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{names} go up and down with the load now; held, they give speed and no memory"),
        cost="more power and heat, also when nothing is done; the next boot ends it",
        saves=False,
    )


def change(state: Clocks) -> tuple[Change, ...]:
    """First what was is kept, by the same program."""
    keep, restore = (("jetson_clocks", option, state.kept) for option in ("--store", "--restore"))
    return (
        RunChange(do=keep, undo=(), why="keep what the clocks were"),
        RunChange(do=("jetson_clocks",), undo=restore, why=_SUMMARY),
    )


KNOB = Knob(
    summary=_SUMMARY,
    layer="kernel",
    paths=(_PROGRAM,),
    read=read,
    effect=effect,
    change=change,
    aliases=("jetson_clocks",),
)
