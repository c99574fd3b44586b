"""SWIOTLB: buffers that DMA bounces through where a device cannot reach an address and no IOMMU maps it."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import BounceBuffers
from memfit.device.reading import read_integer
from memfit.host import Host

_DEBUG = "/sys/kernel/debug/swiotlb"
_SLAB_BYTES = 2048  # IO_TLB_SHIFT 11, include/linux/swiotlb.h


def read(host: Host) -> BounceBuffers | None:
    """Size, use and the most that was ever in use; None without root, debugfs or SWIOTLB."""
    slabs = read_integer(host, f"{_DEBUG}/io_tlb_nslabs")
    if slabs is None:
        return None
    # a kernel bug (fixed in 6.4) lets the counts go below zero: they then read as 2^64 less a little
    used, most = (_sound(read_integer(host, f"{_DEBUG}/{name}"), slabs) for name in ("io_tlb_used", _MOST_USED))
    return BounceBuffers(
        size_bytes=slabs * _SLAB_BYTES,
        used_bytes=None if used is None else used * _SLAB_BYTES,
        most_used_bytes=None if most is None else most * _SLAB_BYTES,
    )


def _sound(count: int | None, slabs: int) -> int | None:
    return count if count is not None and 0 <= count <= slabs else None


_MOST_USED = "io_tlb_used_hiwater"
FACT = Fact(
    paths=tuple(f"{_DEBUG}/{name}" for name in ("io_tlb_nslabs", "io_tlb_used", _MOST_USED)),
    read=read,
    provides="SWIOTLB's size and use",
)
