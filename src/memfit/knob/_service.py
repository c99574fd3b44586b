"""The service that runs the model: which unit that is, and the knobs that say how it is started.

Its unit is the one of the processes that the audit took for inference; on an image, the one that a boot starts and
whose command is that of a program which serves models. Where there are none or several, somebody has to name it. Units
that memfit never touches are refused by the agent as well.
"""

from __future__ import annotations

import msgspec

from memfit.agent.denied import UNIT_NAME, is_denied
from memfit.device.audit_records import Audit, ProcessRow
from memfit.device.facts import processes
from memfit.errors import ProbeError, UnknownName, UsageError
from memfit.host import Host
from memfit.knob._drop_ins import PATHS as _DROP_INS
from memfit.knob._drop_ins import drop_ins, read_lines
from memfit.knob._unit_commands import is_masked, started_services, starts_a_model
from memfit.knob._units import FOLDERS, SYSTEM
from memfit.knob.records import Effect, not_here

PATHS = (*FOLDERS, f"{SYSTEM}/*.service", "/run/systemd/system/*.service", *_DROP_INS)
"""Of folders only the names; of services those of the administrator, and links that mask others."""
_SERVICE = ".service"


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A service that runs a model.

    Attributes:
        unit: its name.
        pids: its processes. names: what they are called.
        threads: of all of them; 0 where it does not run.
        rss_bytes: what they have mapped and in memory, as the kernel's OOM killer counts.
        lines: of memfit's own drop-in, by what they set.
    """

    unit: str
    pids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    threads: int = 0
    rss_bytes: int = 0
    lines: dict[str, tuple[str, ...]] = {}


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """All services of one machine that run models, and the one that is meant.

    Attributes:
        served: units with a process that serves a model, or on an image with such a command.
        others: all other services that are installed, for whoever names one of them.
        masked: names of those among them that are never started.
        loose: processes that serve a model and have no service, with what they have instead.
        chosen: the one that somebody named.
        live: whether the machine runs.
    """

    served: tuple[Served, ...] = ()
    others: tuple[Served, ...] = ()
    masked: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    chosen: Served | None = None
    live: bool = True

    @property
    def one(self) -> Served | None:
        """The one that is meant; None where that is not clear."""
        return self.chosen or (self.served[0] if len(self.served) == 1 else None)


def read_serving(host: Host, audit: Audit) -> Serving | None:
    """None where a machine runs and does not say what."""
    if not host.live:
        found = drop_ins(host)
        units = [unit for unit in started_services(host) if not is_denied(unit) and starts_a_model(host, unit, found)]
        served = tuple(Served(unit=unit, lines=read_lines(host, unit)) for unit in units)
        return _with_others(host, Serving(served=served, live=False))
    if not audit.terms:
        return None
    rows = [row for row in audit.processes if row.role == "inference"]
    units = list(
        dict.fromkeys(row.unit for row in rows if row.unit and row.unit.endswith(_SERVICE) and not is_denied(row.unit))
    )
    threads = {one.pid: one.threads for one in processes.FACT.read(host)}
    served = tuple(_served(host, unit, [row for row in audit.processes if row.unit == unit], threads) for unit in units)
    loose = tuple(f"{row.name} ({row.unit or 'no unit'})" for row in rows if row.unit not in units)
    return _with_others(host, Serving(served=served, loose=loose))


def named(state: Serving, knob: str, unit: str) -> Serving:
    """With the service that somebody names, with or without its ending.

    Raises:
        UnknownName: no such service is installed. UsageError: it is never touched, or never started.
    """
    name = unit if unit.endswith(_SERVICE) else unit + _SERVICE
    if not UNIT_NAME.fullmatch(name):
        raise UsageError(f"{knob}={unit!r} is no name of a service", hint="such as llama.service")
    if is_denied(name):
        raise UsageError(f"{knob}={unit}: {name} is never touched", hint="name the service that runs the model")
    known = {one.unit: one for one in (*state.others, *state.served)}
    stem, at, _ = name.partition("@")
    template = f"{stem}{at}{_SERVICE}"
    if name not in known and template not in known:
        raise UnknownName("service", name, list(known))
    if name in state.masked or template in state.masked:
        raise UsageError(f"{knob}={unit}: {name} is masked, so nothing starts it", hint=f"systemctl unmask {name}")
    return msgspec.structs.replace(state, chosen=known.get(name, Served(unit=name)))


def split_value(value: str) -> tuple[str, str]:
    """``UNIT:REST`` as both; a value without a colon is the rest where it begins with a digit, else the unit."""
    unit, colon, rest = value.strip().rpartition(":")
    if colon:
        return unit, rest
    return ("", rest) if rest[:1].isdigit() else (rest, "")


def unclear(state: Serving, knob: str, value: str = "UNIT") -> Effect:
    """Why no service is meant, and what to say."""
    said = f"--knob {knob}={value}"
    if state.served:
        names = ", ".join(one.unit for one in state.served)
        return not_here(f"several services run models ({names}): {said} says which")
    if state.loose:
        told = "no service runs them, so how they are started is theirs"
        return not_here(f"{', '.join(state.loose)}: {told}; {said} names a service")
    if not state.live:
        return not_here(f"an image: no unit that a boot starts has a command known to serve models; {said} names it")
    return not_here(f"no service that runs a model was found: {said} names it")


def restart(state: Serving, unit: str) -> str:
    """How it takes effect before the next boot, for the cost."""
    if not state.live:
        return f"it counts whenever {unit} is started"
    return f"it counts when the service starts again: sudo systemctl restart {unit}"


def _served(host: Host, unit: str, rows: list[ProcessRow], threads: dict[int, int]) -> Served:
    return Served(
        unit=unit,
        pids=tuple(row.pid for row in rows),
        names=tuple(dict.fromkeys(row.name for row in rows)),
        threads=sum(threads.get(row.pid, 0) for row in rows),
        rss_bytes=sum(row.rss_bytes for row in rows),
        lines=read_lines(host, unit),
    )


def _with_others(host: Host, state: Serving) -> Serving:
    known = {one.unit for one in state.served}
    names = sorted({name for folder in FOLDERS for name in _names(host, folder)} - known)
    return msgspec.structs.replace(
        state,
        others=tuple(Served(unit=name, lines=read_lines(host, name)) for name in names),
        masked=tuple(name for name in names if is_masked(host, name)),
    )


def _names(host: Host, folder: str) -> tuple[str, ...]:
    try:
        return tuple(name for name in host.list_dir(folder) if name.endswith(_SERVICE) and not is_denied(name))
    except ProbeError:
        return ()
