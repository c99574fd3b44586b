"""Bounce buffers no larger than this device needs: an IOMMU maps for the devices of a Tegra, so few bytes ever bounce.

The kernel takes 64 MiB wherever there is memory above 4 GiB. ``swiotlb=`` is a number of slabs of 2 KiB (NVIDIA's guide
to memory efficiency on Jetson; IO_TLB_SHIFT, include/linux/swiotlb.h).
"""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.facts import boot_log, bounce_buffers
from memfit.errors import ProbeError, UsageError
from memfit.host import Host
from memfit.knob._asked import number_of, size_of
from memfit.knob._command_line import PATHS, is_tegra
from memfit.knob._command_words import current
from memfit.knob._knob import Knob
from memfit.knob.records import Bolder, Effect, Gain, Wish, Words, not_here
from memfit.units import GIB, MIB, format_bytes

_TAKES = "a size, such as 4MiB, or a number of slabs of 2 KiB as the kernel counts: 2048"
_SLAB_BYTES = 2048
_LEAST_BYTES = 4 * MIB
"""What L4T 38 and later boot with (``swiotlb=2048``): jetpack-nixos modules/default.nix."""
_AREA_SLABS = 128
"""Every CPU has an area of at least one segment from 6.0 on: IO_TLB_SEGSIZE, ``round_up_default_nslabs``."""
_SLOT_BYTES = 24
"""The table beside the buffers: ``struct io_tlb_slot``, kernel/dma/swiotlb.c; older kernels have half of that."""
_FULL = b"swiotlb buffer is full"
_LOG = "/dev/kmsg"
_VIRTUAL = "linux,dummy-virt"


class Buffers(msgspec.Struct, frozen=True, kw_only=True):
    """SWIOTLB on one machine.

    Attributes:
        size_bytes: now. after_bytes: what it needs.
        used_bytes, most_used_bytes: None where nobody could count.
        tegra: an IOMMU maps for its devices. virtual: a virtual machine's board.
        forced: somebody asked for bouncing. full: the log says that there were too few.
        asked: somebody asks for ``after_bytes``.
    """

    size_bytes: int
    after_bytes: int
    used_bytes: int | None
    most_used_bytes: int | None
    tegra: bool
    virtual: bool
    forced: bool
    full: bool
    asked: bool = False

    @property
    def needed_bytes(self) -> int:
        """The most that is known to have been in use at once."""
        return max(self.used_bytes or 0, self.most_used_bytes or 0)

    @property
    def unused(self) -> bool:
        """Whether nothing bounces, as far as the kernel counts."""
        return self.used_bytes is not None and self.needed_bytes == 0


def slabs(needed_bytes: int, cpus: int = 1) -> int:
    """Twice what was needed, at least 4 MiB; a power of two, as the kernel would make it one itself."""
    least = max(_LEAST_BYTES // _SLAB_BYTES, -(-2 * needed_bytes // _SLAB_BYTES), _AREA_SLABS * _power_of_two(cpus))
    return _power_of_two(least)


def _read(host: Host, audit: Audit) -> Buffers | None:
    size = sum(term.bytes for term in audit.terms if term.name == "swiotlb")
    if not size:
        return None
    counted, log = bounce_buffers.FACT.read(host), boot_log.FACT.read(host)
    used = counted.used_bytes if counted is not None else None
    most = counted.most_used_bytes if counted is not None else None
    after = slabs(max(used or 0, most or 0), (log.cpus if log is not None else None) or 1) * _SLAB_BYTES
    return Buffers(
        size_bytes=size,
        after_bytes=after,
        used_bytes=used,
        most_used_bytes=most,
        tegra=is_tegra(audit),
        virtual=_VIRTUAL in audit.compatible,
        forced=any("force" in value.split(",") for value in current(audit, "swiotlb")),
        full=_is_full(host),
    )


def _effect(state: Buffers) -> Effect:
    reason = _why_left(state)
    if reason:
        return not_here(reason)
    known = state.used_bytes is not None
    told = f", {format_bytes(state.needed_bytes)} used at most" if known else ", their use is not known"
    counted = "" if state.most_used_bytes is not None else "; this kernel keeps no record of the most it used"
    return Effect(
        applies=True,
        gain=_gain(state, state.after_bytes, f"{format_bytes(state.size_bytes)}{told}"),
        when="reboot",
        cost=f"devices that no IOMMU maps may fail with 'swiotlb buffer is full'{counted}",
        # what is asked for may be less than what is known to do
        risk="high" if state.after_bytes < max(_LEAST_BYTES, 2 * state.needed_bytes) else "low",
        saves=state.after_bytes < state.size_bytes,
    )


def at(state: Buffers, wish: Wish) -> Buffers:
    """With the size that somebody asks for, a power of two as the kernel would make it one itself."""
    if wish.value.strip().isdigit():
        count = number_of("swiotlb", wish.value, _TAKES, least=1, most=GIB // _SLAB_BYTES)
    else:
        count = -(-size_of("swiotlb", wish.value, _TAKES) // _SLAB_BYTES)
    count = _power_of_two(max(count, _AREA_SLABS))
    if count > GIB // _SLAB_BYTES:
        raise UsageError(f"swiotlb={wish.value}: it must find its place below 4 GiB", hint=f"it takes {_TAKES}")
    return msgspec.structs.replace(state, after_bytes=count * _SLAB_BYTES, asked=True)


def _why_left(state: Buffers) -> str:
    if state.asked and state.after_bytes > state.size_bytes:
        return ""
    if not (state.tegra or (state.virtual and state.unused)):
        return "no IOMMU is known to map for its devices, so they may need the buffers"
    if state.forced:
        return "swiotlb=force is set: somebody wants everything to bounce"
    if state.full:
        return "the kernel's log says 'swiotlb buffer is full': it has too few already"
    if state.after_bytes >= state.size_bytes:
        return f"it has {format_bytes(state.size_bytes)} already"
    return ""


def _bolder(state: Buffers) -> Bolder | None:
    if not state.unused or state.asked:
        return None
    return Bolder(
        words={"swiotlb": "noforce"},
        gain=_gain(state, 0, f"{format_bytes(state.size_bytes)}, none of it used now"),
        cost="no bounce buffers at all: a device that needs one, once, does not work (USB, SD cards, Wi-Fi over PCIe)",
    )


def _gain(state: Buffers, after_bytes: int, evidence: str) -> Gain:
    gone = state.size_bytes - after_bytes
    return Gain(
        low_bytes=gone,
        likely_bytes=gone,
        high_bytes=max(gone, gone + gone // _SLAB_BYTES * _SLOT_BYTES),
        evidence=f"{evidence}; {format_bytes(after_bytes)} after it",
    )


def _words_for(after_bytes: int) -> Words:
    return {"swiotlb": str(after_bytes // _SLAB_BYTES)}


def _is_full(host: Host) -> bool:
    try:
        return _FULL in host.read_bytes(_LOG, most=8 * MIB)
    except ProbeError:
        return False


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


KNOB = Knob(
    summary="bounce buffers (SWIOTLB) of the size that is needed",
    layer="boot",
    paths=(*PATHS, *bounce_buffers.FACT.paths, *boot_log.FACT.paths),
    read=_read,
    effect=_effect,
    words=lambda state: _words_for(state.after_bytes),
    bolder=_bolder,
    takes=_TAKES,
    at=at,
    aliases=("bounce_buffers",),
)
