"""The kernel's own counts of pages at one moment."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import Moment, parse_counters, parse_slabs, parse_vmalloc, parse_zones
from memfit.device.meminfo import parse_meminfo
from memfit.device.reading import read_text
from memfit.host import Host

_MEMINFO, _ZONES, _COUNTERS = "/proc/meminfo", "/proc/zoneinfo", "/proc/vmstat"
_VMALLOC, _SLABS, _SOCKETS = "/proc/vmallocinfo", "/proc/slabinfo", "/proc/net/sockstat"
_MOST = 4 << 20


def read(host: Host) -> Moment | None:
    """All counts, read one right after the other; None where nothing runs (an unpacked image) or it is no Linux."""
    zones = read_text(host, _ZONES, most=_MOST)
    meminfo = parse_meminfo(read_text(host, _MEMINFO) or "")
    counters = read_text(host, _COUNTERS)
    vmalloc = read_text(host, _VMALLOC, most=_MOST)
    if not meminfo.keys() >= {"MemTotal", "MemFree"}:
        return None
    return Moment(
        meminfo=meminfo,
        zones=parse_zones(zones) if zones else None,
        counters=parse_counters(counters or ""),
        vmalloc=parse_vmalloc(vmalloc) if vmalloc else None,
    )


def read_slabs(host: Host) -> tuple[tuple[str, int], ...]:
    """Slab caches with their bytes, the largest first; none without root."""
    return parse_slabs(read_text(host, _SLABS, most=_MOST) or "")


def read_sockets(host: Host) -> int:
    """Bytes charged to sockets, of which a part lies in slabs."""
    from memfit.device.kernel_memory import parse_socket_pages

    return parse_socket_pages(read_text(host, _SOCKETS) or "")


FACT = Fact(
    paths=(_ZONES, _MEMINFO, _COUNTERS, _VMALLOC, _SLABS, _SOCKETS),
    read=read,
    provides="the kernel's counts of pages",
)
