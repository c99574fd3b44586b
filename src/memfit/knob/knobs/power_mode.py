"""Set the power mode, by name or the one with the highest limit: speed and no memory, for more power and heat."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit, PowerMode
from memfit.device.nvpmodel import CONFIGURATION, PATHS
from memfit.device.reading import read_text
from memfit.errors import UnknownName
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, RunChange
from memfit.knob.records import Effect, Gain, Wish, not_here

_TAKES = "a mode by its name in /etc/nvpmodel.conf, such as 15W or MAXN_SUPER"
_NAMED = ("MAXN_SUPER", "MAXN")  # without a limit
_WATTS = re.compile(r"(\d+)W(?:_|$)")
_SECTION = re.compile(r"^[ \t]*<[ \t]*POWER_MODEL\b[^>\n]*\bID=(\d+)[^>\n]*>?([^<]*)", re.MULTILINE)
# what nvpmodel cannot change without a boot: which cores run, and which units of the GPU have power
_NEEDS_BOOT = re.compile(r"^[ \t]*((?:CPU_ONLINE|\w+_POWER_GATING)[ \t]+\w+[ \t]+\w+)", re.MULTILINE)


class Modes(msgspec.Struct, frozen=True, kw_only=True):
    """The mode in force and the one that it shall be.

    Attributes:
        now: None where nobody knows, so that there is no way back.
        best: the one with the highest limit, or that somebody asks for; None where no name says what a mode is.
        every: all modes of the board.
        boots: ids of those that change which cores or units of the GPU run.
    """

    now: PowerMode | None
    best: PowerMode | None
    every: tuple[PowerMode, ...] = ()
    boots: frozenset[int] = frozenset()

    @property
    def needs_boot(self) -> bool:
        """Whether nvpmodel cannot set it without a boot."""
        return self.best is not None and self.best.id in self.boots


def read(host: Host, audit: Audit) -> Modes | None:
    """None without nvpmodel, and on an image."""
    if not host.live or not audit.power.modes:
        return None
    now, best = audit.power.mode, highest(audit.power.modes)
    fixed = _fixed(host)
    others = [mode.id for mode in audit.power.modes if now is not None and fixed.get(mode.id) != fixed.get(now.id)]
    return Modes(now=now, best=best, every=audit.power.modes, boots=frozenset(others))


def highest(modes: tuple[PowerMode, ...]) -> PowerMode | None:
    """By name and never by id, which differs from board to board: MAXN where there is one, else the most watts."""
    for name in _NAMED:
        for mode in modes:
            if mode.name == name:
                return mode
    known = [(int(found[1]), mode) for mode in modes if (found := _WATTS.search(mode.name))]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def effect(state: Modes) -> Effect:
    """Speed alone, so it is done by name."""
    if state.best is None:
        return not_here("no name of a mode says which has the highest limit")
    if state.now is None:
        return not_here("the mode in force is not known, so there would be no way back to it")
    if state.now.id == state.best.id:
        return not_here(f"it is {state.now.name}")
    if state.needs_boot:
        return not_here(
            f"{state.best.name} changes which cores or units of the GPU run: nvpmodel asks for a boot at a terminal; "
            f"elsewhere it keeps {state.now.name} in silence; by hand: sudo nvpmodel -m {state.best.id}"
        )
    less = state.now == highest((state.now, state.best))
    power = "less speed: its limit is lower" if less else "more power and heat, for which cooling and supply must do"
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{state.now.name} now; {state.best.name} is a matter of speed and of no memory"),
        cost=f"{power}; nvpmodel -q shows whether {state.best.name} was taken",
        risk="low",
        saves=False,
    )


def change(state: Modes) -> tuple[Change, ...]:
    """The mode is kept for later boots as well."""
    if state.now is None or state.best is None:
        return ()
    do, undo = (("nvpmodel", "-m", str(mode.id)) for mode in (state.best, state.now))
    return (RunChange(do=do, undo=undo, lasting=True, why=f"power mode {state.best.name}"),)


def at(state: Modes, wish: Wish) -> Modes:
    """With the mode of that name; case does not matter."""
    for mode in state.every:
        if mode.name.casefold() == wish.value.strip().casefold():
            return msgspec.structs.replace(state, best=mode)
    raise UnknownName("power mode", wish.value, [mode.name for mode in state.every])


def _fixed(host: Host) -> dict[int, frozenset[str]]:
    """What of each mode only a boot changes."""
    text = read_text(host, CONFIGURATION, most=1 << 20) or ""
    return {int(number): frozenset(_NEEDS_BOOT.findall(body)) for number, body in _SECTION.findall(text)}


KNOB = Knob(
    summary="set the power mode: the one with the highest limit, or one by name",
    layer="kernel",
    paths=PATHS,
    read=read,
    effect=effect,
    change=change,
    takes=_TAKES,
    at=at,
    aliases=("nvpmodel", "maxn"),
)
