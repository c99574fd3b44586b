"""Let what idles go to compressed memory before files that are read: nothing where swap is on a disk."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.reading import read_integer
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob._sysctl import PATHS, set_by_somebody
from memfit.knob.records import Effect, Gain, not_here

_PATH = "/proc/sys/vm/swappiness"
_EQUAL = 100
"""To swap costs as much as to read a file again (Documentation/admin-guide/sysctl/vm.rst); packing costs less."""


class Swappiness(msgspec.Struct, frozen=True, kw_only=True):
    """The value now, what swap there is, and who set it already."""

    value: int
    kinds: frozenset[str]
    set_by: str | None = None


def read(host: Host, audit: Audit) -> Swappiness | None:
    """None where nothing runs."""
    value = read_integer(host, _PATH)
    if value is None:
        return None
    kinds = frozenset(swap.kind for swap in audit.swaps if swap.kind != "zram, not swap")
    return Swappiness(value=value, kinds=kinds, set_by=set_by_somebody(host, _PATH))


def effect(state: Swappiness) -> Effect:
    """No memory: it decides what is dropped first when memory is short, idle programs or weights that are mapped."""
    if state.kinds != {"zram"}:
        return not_here("no swap is in use" if not state.kinds else "swap is on a disk, where the default is right")
    if state.set_by is not None:
        return not_here(f"{state.set_by} sets it")
    if state.value >= _EQUAL:
        return not_here(f"it is {state.value}")
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{state.value} now; no memory, but what idles goes before mapped weights are read again"),
        cost="programs that idled wake more slowly",
        saves=False,
    )


KNOB = Knob(
    summary="let what idles go to compressed memory before files that are read",
    layer="user",
    paths=(_PATH, *PATHS),
    read=read,
    effect=effect,
    settings=lambda state: {_PATH: str(_EQUAL)},
    aliases=("vm_swappiness",),
)
