"""Keep no more memory free than the kernel itself would: less is left for what cannot wait."""

from __future__ import annotations

import math

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.meminfo import read_meminfo
from memfit.device.reading import read_integer
from memfit.errors import ProbeError, UsageError
from memfit.host import Host
from memfit.knob._asked import size_of
from memfit.knob._knob import Knob
from memfit.knob._sysctl import PATHS, set_by_somebody
from memfit.knob.records import Effect, Gain, Wish, not_here
from memfit.units import KIB, MIB, format_bytes

_PATH = "/proc/sys/vm/min_free_kbytes"
_SCALE = "/proc/sys/vm/watermark_scale_factor"
_TAKES = "a size, such as 64MiB: less than the kernel would keep only with --risk"
_LEAST_BYTES = MIB
_MOST_SHARE = 20  # of memory: more than a twentieth kept free is surely a slip
_DEFAULT_SCALE = 10  # of 10,000, mm/page_alloc.c
_SLACK = 1.25  # the kernel's formula counts zones, and this one MemTotal


class MinFree(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel keeps free, and what MemAvailable is made of.

    Attributes:
        now_bytes: the lowest mark now. own_bytes: what the kernel computes without huge pages.
        asked_bytes: what somebody asks for; None where it shall be the kernel's own.
        scale: distance of the marks, in 10,000ths of memory.
        total_bytes, files_bytes, slab_bytes: MemTotal, files on the lists, slabs that may be taken back.
    """

    now_bytes: int
    own_bytes: int
    scale: int
    total_bytes: int
    files_bytes: int
    slab_bytes: int
    set_by: str | None = None
    asked_bytes: int | None = None

    @property
    def after_bytes(self) -> int:
        """What it shall be."""
        return self.own_bytes if self.asked_bytes is None else self.asked_bytes


def read(host: Host, audit: Audit) -> MinFree | None:
    """None where nothing runs."""
    value = read_integer(host, _PATH)
    if value is None:
        return None
    try:
        memory = read_meminfo(host)
    except ProbeError:
        return None
    total = memory["MemTotal"]
    scale = read_integer(host, _SCALE)
    return MinFree(
        now_bytes=value * KIB,
        # calculate_min_free_kbytes, mm/page_alloc.c: the root of 16 times the kB of memory
        own_bytes=math.isqrt(total // KIB * 16) * KIB,
        scale=_DEFAULT_SCALE if scale is None else scale,
        total_bytes=total,
        files_bytes=memory.get("Active(file)", 0) + memory.get("Inactive(file)", 0),
        slab_bytes=memory.get("KReclaimable", memory.get("SReclaimable", 0)),
        set_by=set_by_somebody(host, _PATH),
    )


def effect(state: MinFree) -> Effect:
    """Huge pages made the kernel raise it (set_recommended_min_free_kbytes, mm/khugepaged.c)."""
    if state.asked_bytes is not None:
        return _asked(state)
    if state.now_bytes <= state.own_bytes * _SLACK:
        return not_here(f"{format_bytes(state.now_bytes)} are kept free, as the kernel computes it")
    if state.set_by is not None:
        return not_here(f"{state.set_by} sets it")
    gain = withheld_bytes(state, state.now_bytes) - withheld_bytes(state, state.own_bytes)
    return Effect(
        applies=True,
        gain=Gain(
            low_bytes=state.now_bytes - state.own_bytes,
            likely_bytes=gain,
            high_bytes=gain,
            evidence=f"{format_bytes(state.now_bytes)} are kept free for huge pages, {format_bytes(state.own_bytes)} "
            "without them",
        ),
        cost="what cannot wait has less: under load, network and USB may fail with 'page allocation failure'; "
        "huge pages are found less often",
        risk="high",
    )


def _asked(state: MinFree) -> Effect:
    if state.set_by is not None:
        return not_here(f"{state.set_by} sets it")
    if state.after_bytes == state.now_bytes:
        return not_here(f"{format_bytes(state.now_bytes)} are kept free already")
    gain = withheld_bytes(state, state.now_bytes) - withheld_bytes(state, state.after_bytes)
    mark = state.now_bytes - state.after_bytes
    told = f"{format_bytes(state.now_bytes)} are kept free, {format_bytes(state.after_bytes)} then"
    below = state.after_bytes < state.own_bytes
    few = "what cannot wait has less: under load, network and USB may fail with 'page allocation failure'"
    return Effect(
        applies=True,
        gain=Gain(
            low_bytes=min(mark, gain),
            likely_bytes=gain,
            high_bytes=max(mark, gain),
            evidence=f"{told}; the kernel itself would keep {format_bytes(state.own_bytes)}",
        ),
        cost=few if mark > 0 else "so much less is available, and more is at hand for what cannot wait",
        risk="high" if below else "low",
    )


def at(state: MinFree, wish: Wish) -> MinFree:
    """With the size that somebody asks for, in whole KiB as the kernel counts."""
    size = size_of("min_free", wish.value, _TAKES, least_bytes=_LEAST_BYTES) // KIB * KIB
    if size > state.total_bytes // _MOST_SHARE:
        most = format_bytes(state.total_bytes // _MOST_SHARE)
        raise UsageError(f"min_free={wish.value}: more than {most}, a twentieth of memory", hint=f"it takes {_TAKES}")
    return msgspec.structs.replace(state, asked_bytes=size)


def withheld_bytes(state: MinFree, lowest_bytes: int) -> int:
    """What MemAvailable leaves out with this lowest mark.

    ``si_mem_available`` of mm/show_mem.c, and the marks of mm/page_alloc.c (``__setup_per_zone_wmarks``).
    """
    step = max(lowest_bytes // 4, state.total_bytes * state.scale // 10_000)
    low, high = lowest_bytes + step, lowest_bytes + 2 * step
    return high + min(state.files_bytes // 2, low) + min(state.slab_bytes // 2, low)


KNOB = Knob(
    summary="keep no more memory free than the kernel itself would",
    layer="kernel",
    paths=(_PATH, _SCALE, "/proc/meminfo", *PATHS),
    read=read,
    effect=effect,
    settings=lambda state: {_PATH: str(state.after_bytes // KIB)},
    takes=_TAKES,
    at=at,
    aliases=("min_free_kbytes", "vm_min_free_kbytes"),
)
