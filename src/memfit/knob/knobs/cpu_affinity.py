"""Keep the service that runs the model on some CPUs: the fast ones, or those that nothing else needs."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.reading import read_text
from memfit.errors import UsageError
from memfit.host import Host
from memfit.knob._asked import no_such
from memfit.knob._cores import PATHS as _CORES
from memfit.knob._cores import Cores, format_list, parse_list, read_cores
from memfit.knob._drop_ins import overruled, overruling
from memfit.knob._knob import Knob
from memfit.knob._service import PATHS, Serving, named, read_serving, restart, split_value, unclear
from memfit.knob.records import Effect, Gain, Lines, Wish, not_here

_TAKES = "CPUs, and before them the service where that is not clear: 1-5 or llama.service:1-5"
_KEY = "CPUAffinity"
_ALLOWED = re.compile(r"^Cpus_allowed_list:\s*(\S+)", re.M)


class Affinity(msgspec.Struct, frozen=True, kw_only=True):
    """Services that run models, and the CPUs.

    Attributes:
        allowed: CPUs that each service's first process may run on; what may not be read is missing.
        asked: CPUs that somebody asks for; none where the machine's own reasons count.
        overruled: by whose drop-ins, why memfit's own drop-in would not count.
    """

    serving: Serving
    cores: Cores
    allowed: dict[str, tuple[int, ...]] = {}
    asked: tuple[int, ...] = ()
    overruled: dict[str, str] = {}

    @property
    def after(self) -> tuple[int, ...]:
        """CPUs that it shall run on."""
        return self.asked or self.cores.fast


def read(host: Host, audit: Audit) -> Affinity | None:
    """None where a machine runs and its kernel does not say which CPUs do."""
    serving, cores = read_serving(host, audit), read_cores(host)
    if serving is None or (serving.live and not cores.online):
        return None
    allowed = {}
    for one in serving.served:
        found = _ALLOWED.search(read_text(host, f"/proc/{one.pids[0]}/status") or "") if one.pids else None
        if found is not None:
            allowed[one.unit] = parse_list(found[1])
    return Affinity(serving=serving, cores=cores, allowed=allowed, overruled=overruled(host, (_KEY,)))


def at(state: Affinity, wish: Wish) -> Affinity:
    """With the CPUs, and the service, that somebody names."""
    unit, text = split_value(wish.value)
    cpus = parse_list(text)
    if not cpus:
        raise no_such("cpu_affinity", wish.value, _TAKES)
    missing = tuple(cpu for cpu in cpus if cpu not in state.cores.online)
    if missing and state.cores.online:
        online = format_list(state.cores.online)
        raise UsageError(
            f"cpu_affinity={wish.value}: no CPU {format_list(missing)} runs here", hint=f"there are {online}"
        )
    serving = named(state.serving, "cpu_affinity", unit) if unit else state.serving
    return msgspec.structs.replace(state, serving=serving, asked=cpus)


def effect(state: Affinity) -> Effect:
    """Speed and no memory, so it is done by name; by itself only where some CPUs are faster than others."""
    if not state.asked and not state.cores.online:
        return not_here("an image does not say which CPUs there will be: --knob cpu_affinity=UNIT:CPUS does")
    if not state.asked and not state.cores.told:
        last = state.cores.online[-1]
        example = (
            f"--knob cpu_affinity=1-{last} leaves CPU 0, which most interrupts go to" if last else "there is one CPU"
        )
        return not_here(f"its {len(state.cores.online)} CPUs are alike, so none is better for it; {example}")
    one = state.serving.one
    if one is None:
        return unclear(state.serving, "cpu_affinity", "UNIT:CPUS")
    later = overruling(state.overruled, one.unit)
    if later:
        return not_here(later)
    if one.lines.get(_KEY) == _wanted(state.after):
        return not_here(f"{one.unit} has it already: {_KEY}={format_list(state.after)}")
    now = state.allowed.get(one.unit)
    if now == state.after:
        return not_here(f"{one.unit} runs on {format_list(now)} already")
    stands = f"it may run on {format_list(now)} now" if now else "where it runs now is not known"
    why = f"; {state.cores.told}" if state.cores.told else ""
    few = "" if state.cores.online else "; where none of these CPUs is there, it does not start"
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{one.unit}: {stands}, on {format_list(state.after)} then{why}: speed and no memory"),
        when="reboot",
        cost="it has fewer CPUs, and as many threads as before unless --knob threads says so; "
        f"{restart(state.serving, one.unit)}{few}",
        risk="low",
        saves=False,
    )


def lines(state: Affinity) -> Lines:
    """An empty one first, which takes back what its own unit says; else both would count together."""
    one = state.serving.one
    return {} if one is None else {one.unit: {_KEY: _wanted(state.after)}}


def _wanted(cpus: tuple[int, ...]) -> tuple[str, ...]:
    return f"{_KEY}=", f"{_KEY}={format_list(cpus)}"


KNOB = Knob(
    summary="keep the service that runs the model on some CPUs",
    layer="user",
    paths=(*PATHS, *_CORES, "/proc/[0-9]*/status"),
    read=read,
    effect=effect,
    lines=lines,
    takes=_TAKES,
    at=at,
    aliases=("affinity", "taskset"),
)
