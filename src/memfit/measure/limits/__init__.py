"""What holds a run to its memory: control groups of either version, a scope of systemd, or nothing, said so."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.errors import UsageError
from memfit.measure.limits._fence import Fence, Ground, Mechanism, TooSmall, Unavailable
from memfit.units import KIB, MIB, format_bytes

_TINY_BYTES = 64 * KIB
_SURE_BYTES = 64 * MIB  # any shell starts in it: not worth a try

MECHANISMS: Catalog[Mechanism] = Catalog(
    __name__, Path(__file__).parent, constant="MECHANISM", kind="limit mechanism", type=Mechanism
)


def open_fence(limit_bytes: int | None, *, mechanism: str | None = None, ground: Ground | None = None) -> Fence:
    """A fresh fence for one run; ``close`` it afterwards, whatever happened.

    Without permission for any mechanism the run is only watched, and the fence's ``limit.note`` says why.

    Args:
        limit_bytes: None gives a fence that only counts what its processes are charged with.
        mechanism: key of ``MECHANISMS`` to take instead of the best that works here.
        ground: the machine's files and commands, for tests.

    Raises:
        UnknownName: no such mechanism.
        TooSmall: the kernel kills whatever starts in this limit.
    """
    ground = ground or Ground()
    wanted = sorted(MECHANISMS, key=lambda each: each.rank) if mechanism is None else [MECHANISMS.get(mechanism)]
    refusals: list[str] = []
    for each in wanted:
        try:
            return each.open(limit_bytes, ground, tuple(refusals))
        except Unavailable as refusal:
            refusals.append(f"{each.title}: {refusal}")
    return MECHANISMS.get("none").open(limit_bytes, ground, tuple(refusals))


def refuse_too_small(limit_bytes: int | None, *, ground: Ground | None = None) -> None:
    """Refuse a limit in which no process starts: nothing could be said of a deployment in it.

    Raises:
        UsageError: it is one; with the least that works here, where a limit can be tried out.
    """
    if limit_bytes is None or limit_bytes >= _SURE_BYTES:
        return
    if limit_bytes <= 0:
        raise UsageError("a limit of no memory", hint="give what the device has, as in --limit 3.5GiB")
    if _starts(limit_bytes, ground):
        return
    least = _TINY_BYTES
    while least < _SURE_BYTES and (least <= limit_bytes or not _starts(least, ground)):
        least *= 2
    raise UsageError(
        f"no process starts in a limit of {format_bytes(limit_bytes)}",
        hint=f"the least that works here is {least // KIB} KiB, and a model needs more: memfit estimate tells how much",
    )


def _starts(limit_bytes: int, ground: Ground | None) -> bool:
    """Whether anything starts in such a limit, as far as it can be tried out here."""
    try:
        open_fence(limit_bytes, ground=ground).close()
    except TooSmall:
        return False
    return True


__all__ = ["MECHANISMS", "Fence", "Ground", "Mechanism", "TooSmall", "open_fence", "refuse_too_small"]
