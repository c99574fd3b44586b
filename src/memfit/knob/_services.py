"""Knobs that stop services which a product does not need: masked, so that nothing starts them again, and stopped."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit, ProcessRow
from memfit.host import Host
from memfit.knob._held import gain_of
from memfit.knob._knob import Knob
from memfit.knob._units import SYSTEM, UnitFile, find_units, unit_paths
from memfit.knob.changes import Change, LinkChange, UnitChange
from memfit.knob.records import Effect, Gain, Need, not_here

# never stopped, whichever unit it is in
_OTHERS = ("memfit", "ssh", "inference")


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one kind of service on one machine.

    Attributes:
        units: those that are installed.
        gain: what their processes hold.
        running: whether any of them has a process.
    """

    units: tuple[UnitFile, ...]
    gain: Gain
    running: bool


def service_knob(
    *units: str, summary: str, cost: str, spares: frozenset[Need] = frozenset(), aliases: tuple[str, ...] = ()
) -> Knob:
    """A knob that masks and stops ``units``: those that wake others (sockets, timers) first."""

    def read(host: Host, audit: Audit) -> Services | None:
        found = find_units(host, units)
        if not found:
            return None
        rows = rows_of(audit, tuple(unit.name for unit in found))
        return Services(units=found, gain=gain_of(audit, rows), running=bool(rows))

    def effect(state: Services) -> Effect:
        open_ = [unit for unit in state.units if not unit.masked]
        if not open_:
            return not_here("masked already")
        if all(unit.own for unit in open_):
            return not_here(f"{open_[0].name} is a file of somebody's own in {SYSTEM}, which no link can mask")
        return Effect(applies=True, gain=state.gain, cost=cost)

    return Knob(
        summary=summary,
        layer="user",
        spares=spares,
        paths=unit_paths(units),
        read=read,
        effect=effect,
        change=lambda state: masked(state.units, summary),
        aliases=aliases,
    )


def masked(units: tuple[UnitFile, ...], why: str) -> tuple[Change, ...]:
    """Links that mask units, and their end."""
    open_ = [unit for unit in units if not (unit.masked or unit.own)]
    links = [LinkChange(path=f"{SYSTEM}/{unit.name}", target="/dev/null", why=why) for unit in open_]
    return (*links, *(UnitChange(unit=unit.name, active=False, why=why) for unit in open_))


def rows_of(audit: Audit, units: tuple[str, ...]) -> tuple[ProcessRow, ...]:
    """Processes of units, an instance counted as its template."""
    names = {unit.removesuffix(".service") for unit in units if unit.endswith(".service")}
    return tuple(
        row
        for row in audit.processes
        if row.role not in _OTHERS and (row.unit or "").removesuffix(".service").partition("@")[0].rstrip("@") in names
    )
