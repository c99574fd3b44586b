"""Drop caches once: files are read again, and NvMap's pool of freed pages goes back."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, ValueChange
from memfit.knob.records import Effect, Gain, not_here
from memfit.units import format_bytes

_PATH = "/proc/sys/vm/drop_caches"
_NO_POOL = "no pool of NvMap is seen"
_ALL = "3"  # pages of files, and whatever registered a shrinker: NvMap's pool did (nvmap_pp.c)


class Caches(msgspec.Struct, frozen=True, kw_only=True):
    """What would be dropped: files that nobody maps, and NvMap's pool; None where only root may see that."""

    clean_bytes: int
    pool_bytes: int | None


def read(host: Host, audit: Audit) -> Caches | None:
    """None where nothing runs."""
    if not audit.terms or not host.glob(_PATH):
        return None
    pools = [term.bytes for term in audit.terms if term.name == "nvmap_pool"]
    clean = sum(term.bytes for term in audit.terms if term.name == "clean_files")
    return Caches(clean_bytes=clean, pool_bytes=sum(pools) if pools else None)


def effect(state: Caches) -> Effect:
    """MemAvailable counts clean files already, and knows nothing of the pool."""
    pool = state.pool_bytes or 0
    if not pool and not state.clean_bytes:
        return not_here("there is nothing to drop")
    files = f"MemFree also grows by {format_bytes(state.clean_bytes)} of files, which MemAvailable counts already"
    held = f"NvMap's pool holds {format_bytes(pool)}, which GPU memory takes first in any case" if pool else _NO_POOL
    return Effect(
        applies=True,
        # it fills again as GPU memory is freed, so what is left of the gain later may be nothing
        gain=Gain(low_bytes=0, likely_bytes=pool, high_bytes=pool, evidence=f"{held}; {files}"),
        cost="done once: files, weights too, are read from the disk again, and the next GPU allocations are slower",
        saves=pool > 0,
    )


def change(state: Caches) -> tuple[Change, ...]:
    """One write, which has no way back and needs none."""
    return (ValueChange(path=_PATH, text=_ALL, why="drop caches once"),)


KNOB = Knob(
    summary="drop caches once",
    layer="cache",
    paths=(_PATH,),
    read=read,
    effect=effect,
    change=change,
    aliases=("page_cache", "nvmap_pool", "caches"),
)
