"""Let what idles go to compressed memory before files that are read: nothing where swap is on a disk."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.reading import read_integer
from memfit.host import Host
from memfit.knob._asked import number_of
from memfit.knob._knob import Knob
from memfit.knob._sysctl import PATHS, set_by_somebody
from memfit.knob.records import Effect, Gain, Wish, not_here

_PATH = "/proc/sys/vm/swappiness"
_TAKES = "a number from 0 (files first) to 200 (idle programs first)"
_MOST = 200  # from 5.8 on (Documentation/admin-guide/sysctl/vm.rst); before, 100
_EQUAL = 100
"""To swap costs as much as to read a file again (Documentation/admin-guide/sysctl/vm.rst); packing costs less."""


class Swappiness(msgspec.Struct, frozen=True, kw_only=True):
    """The value now, what swap there is, who set it already, and what it shall be; ``asked`` by somebody."""

    value: int
    kinds: frozenset[str]
    set_by: str | None = None
    after: int = _EQUAL
    asked: bool = False


def read(host: Host, audit: Audit) -> Swappiness | None:
    """None where nothing runs."""
    value = read_integer(host, _PATH)
    if value is None:
        return None
    kinds = frozenset(swap.kind for swap in audit.swaps if swap.kind != "zram, not swap")
    return Swappiness(value=value, kinds=kinds, set_by=set_by_somebody(host, _PATH))


def effect(state: Swappiness) -> Effect:
    """No memory: it decides what is dropped first when memory is short, idle programs or weights that are mapped."""
    if not state.kinds or (state.kinds != {"zram"} and not state.asked):
        return not_here("no swap is in use" if not state.kinds else "swap is on a disk, where the default is right")
    if state.set_by is not None:
        return not_here(f"{state.set_by} sets it")
    if state.value == state.after or (state.value > state.after and not state.asked):
        return not_here(f"it is {state.value}")
    more = state.after > state.value
    first = "what idles goes before mapped weights are read again" if more else "mapped weights go before what idles"
    cost = "programs that idled wake more slowly" if more else "files, weights too, are read from the disk again sooner"
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{state.value} now, {state.after} then; no memory, but {first}"),
        cost=cost,
        saves=False,
    )


def at(state: Swappiness, wish: Wish) -> Swappiness:
    """With the value that somebody asks for."""
    after = number_of("swappiness", wish.value, _TAKES, least=0, most=_MOST)
    return msgspec.structs.replace(state, after=after, asked=True)


KNOB = Knob(
    summary="let what idles go to compressed memory before files that are read",
    layer="user",
    paths=(_PATH, *PATHS),
    read=read,
    effect=effect,
    settings=lambda state: {_PATH: str(state.after)},
    takes=_TAKES,
    at=at,
    aliases=("vm_swappiness",),
)
