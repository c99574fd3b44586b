"""No limit: the run is watched and nothing holds it, and the record says so."""

from __future__ import annotations

from memfit.measure.limits._fence import Fence, Ground, Mechanism
from memfit.measure.records import Limit
from memfit.units import format_bytes


def open_fence(limit_bytes: int | None, ground: Ground, refusals: tuple[str, ...]) -> Fence:
    """No fence; ``refusals`` become the note."""
    said = list(refusals)
    if limit_bytes is not None:
        said.insert(0, f"only watched: nothing holds the run to {format_bytes(limit_bytes)}")
    swap = ground.memory().get("SwapTotal", 0)
    if swap:
        said.append(f"{format_bytes(swap)} of swap may hide the peak")
    return Fence(limit=Limit(mechanism="none", limit_bytes=limit_bytes, swap_bytes=swap, note="; ".join(said)))


MECHANISM = Mechanism(title="no limit", rank=9, open=open_fence)
