"""Parsers of what the kernel tells about its own memory; every count becomes bytes on the line that parses it."""

from __future__ import annotations

import re
from collections import Counter

import msgspec

from memfit.device.spans import Span
from memfit.units import KIB, MIB

PAGE_BYTES = 4096
"""Pages of 4 KiB, as every Jetson kernel up to R39 has them (CONFIG_ARM64_4K_PAGES) and every x86."""


class Zones(msgspec.Struct, frozen=True, kw_only=True):
    """``/proc/zoneinfo``, added up over nodes and zones.

    Attributes:
        present_bytes: DRAM that Linux was handed, its own reservations included.
        managed_bytes: what the page allocator has to give; about MemTotal.
        page_lists_bytes: free pages that wait in a CPU's own lists (``pagesets``), which MemFree does not count.
    """

    present_bytes: int
    managed_bytes: int
    page_lists_bytes: int


class Vmalloc(msgspec.Struct, frozen=True, kw_only=True):
    """``/proc/vmallocinfo``: memory behind virtually contiguous areas.

    Attributes:
        stacks_bytes: of kernel threads and tasks, which KernelStack counts too (CONFIG_VMAP_STACK).
        holders: callers with what each holds, the largest first.
    """

    total_bytes: int
    stacks_bytes: int
    holders: tuple[tuple[str, int], ...]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Counts that were read one right after the other; ``meminfo`` in bytes, ``counters`` of vmstat as they are."""

    meminfo: dict[str, int]
    zones: Zones | None = None
    counters: dict[str, int] = {}
    vmalloc: Vmalloc | None = None


class BounceBuffers(msgspec.Struct, frozen=True, kw_only=True):
    """SWIOTLB as debugfs shows it; None where a count makes no sense."""

    size_bytes: int
    used_bytes: int | None
    most_used_bytes: int | None


class CrashKernel(msgspec.Struct, frozen=True, kw_only=True):
    """Memory kept for kdump; while a crash kernel is loaded it cannot be given back."""

    size_bytes: int
    loaded: bool


class InstalledMemory(msgspec.Struct, frozen=True, kw_only=True):
    """DRAM of a machine, and where that stands."""

    bytes: int
    evidence: str


class CmaArea(msgspec.Struct, frozen=True, kw_only=True):
    """A contiguous pool in debugfs; ``used_bytes`` went to drivers that asked for contiguous memory."""

    name: str
    size_bytes: int
    used_bytes: int


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``/proc/iomem``; ``depth`` counts its indentation."""

    span: Span
    name: str
    depth: int


_ZONE_FIELD = re.compile(r"^ +(present|managed|count:) +(\d+)$", re.MULTILINE)
_STACK_CALLERS = re.compile(r"kernel_clone|copy_process|dup_task_struct|_do_fork|fork_idle|alloc_thread_stack\w*")
_IOMEM = re.compile(r"^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$")


def parse_zones(text: str) -> Zones:
    """Sums of a zoneinfo file; zeros where it has none of the fields."""
    sums: Counter[str] = Counter()
    for name, pages in _ZONE_FIELD.findall(text):
        sums[name] += int(pages) * PAGE_BYTES
    return Zones(present_bytes=sums["present"], managed_bytes=sums["managed"], page_lists_bytes=sums["count:"])


def parse_counters(text: str) -> dict[str, int]:
    """Lines ``name 123``, as in ``/proc/vmstat``; the counts keep their own units."""
    words = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def parse_vmalloc(text: str) -> Vmalloc:
    """Areas with pages of their own; mappings of devices (``ioremap``) and of foreign pages (``vmap``) hold none."""
    holders: Counter[str] = Counter()
    stacks = 0
    for line in text.splitlines():
        before, found, after = line.partition(" pages=")
        words = before.split()
        if not found or len(words) < 3 or "vmalloc" not in after:
            continue
        count = after.split(" ", 1)[0]
        if not count.isdigit():
            continue
        size = int(count) * PAGE_BYTES
        caller = words[2].partition("+")[0]
        if _STACK_CALLERS.fullmatch(caller):
            stacks += size
        else:
            holders[caller] += size
    return Vmalloc(total_bytes=sum(holders.values()) + stacks, stacks_bytes=stacks, holders=_largest(holders))


def parse_slabs(text: str) -> tuple[tuple[str, int], ...]:
    """Caches of ``/proc/slabinfo`` version 2, the largest first: slabs × pages of each slab."""
    sizes: Counter[str] = Counter()
    for line in text.splitlines():
        front, _, rest = line.partition(" : tunables")
        words, data = front.split(), rest.partition(": slabdata")[2].split()
        if len(words) < 6 or len(data) < 2 or not (words[5].isdigit() and data[1].isdigit()):
            continue
        sizes[words[0]] += int(words[5]) * int(data[1]) * PAGE_BYTES
    return _largest(sizes)


def parse_iomem(text: str) -> tuple[Region, ...]:
    """Regions by address; none where every address reads as zero, which is what others than root are shown."""
    regions = [
        Region(span=Span(int(match[2], 16), int(match[3], 16) + 1), name=match[4].strip(), depth=len(match[1]) // 2)
        for line in text.splitlines()
        if (match := _IOMEM.match(line))
    ]
    return tuple(regions) if any(region.span.bytes > 1 for region in regions) else ()


def system_ram(regions: tuple[Region, ...]) -> tuple[Span, ...]:
    """What Linux was handed."""
    return tuple(region.span for region in regions if region.name == "System RAM")


def kernel_image(regions: tuple[Region, ...]) -> int:
    """Bytes of code, read-only data, data and bss."""
    return sum(region.span.bytes for region in regions if re.fullmatch(r"Kernel (code|rodata|data|bss)", region.name))


def crash_kernel(regions: tuple[Region, ...]) -> int:
    """Bytes kept for a crash kernel."""
    return sum(region.span.bytes for region in regions if region.name == "Crash kernel")


def parse_shared_segments(text: str) -> int:
    """Resident bytes of System V shared memory (``/proc/sysvipc/shm``)."""
    lines = text.splitlines()
    head = lines[0].split() if lines else []
    if "rss" not in head:
        return 0
    place = head.index("rss")
    return sum(
        int(words[place]) for line in lines[1:] if len(words := line.split()) == len(head) and words[place].isdigit()
    )


def parse_socket_pages(text: str) -> int:
    """Bytes charged to sockets (``mem`` of ``/proc/net/sockstat``, in pages); part of them lies in slabs."""
    return sum(int(pages) for pages in re.findall(r"\bmem (\d+)", text)) * PAGE_BYTES


def parse_memory_devices(raw: bytes) -> int:
    """Bytes of all SMBIOS structures of type 17 (Memory Device, DSP0134 §7.18); 0 where none has a size."""
    total = place = 0
    while place + 4 <= len(raw):
        kind, length = raw[place], raw[place + 1]
        if length < 4 or place + length > len(raw):
            break
        if kind == 17 and length >= 0x0E:
            total += _module_bytes(raw[place : place + length])
        end = raw.find(b"\0\0", place + length)  # the structure's strings end with two zeros
        if end < 0:
            break
        place = end + 2
    return total


def _module_bytes(entry: bytes) -> int:
    size = int.from_bytes(entry[0x0C:0x0E], "little")
    if size == 0xFFFF:  # not known
        return 0
    if size == 0x7FFF and len(entry) >= 0x20:  # too large for the field: MiB in the extended one
        return (int.from_bytes(entry[0x1C:0x20], "little") & 0x7FFF_FFFF) * MIB
    return (size & 0x7FFF) * KIB if size & 0x8000 else size * MIB


def _largest(sizes: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))
