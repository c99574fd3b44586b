"""What holds a run to its memory: control groups of either version, a scope of systemd, or nothing, said so."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.measure.limits._fence import Fence, Ground, Mechanism, Unavailable

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


__all__ = ["MECHANISMS", "Fence", "Ground", "Mechanism", "open_fence"]
