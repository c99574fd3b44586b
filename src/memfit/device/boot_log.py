"""What the kernel said while it booted about memory it took for itself.

The same lines reach us as ``/var/log/dmesg``, ``kern.log`` (a date and a host before each), records of ``/dev/kmsg``
(``6,42,0,-;text``) or a pasted excerpt with other lines in between. So every line is searched for its message, whatever
stands before it, and what is not understood is left out.

Messages as of Linux 4.9 to 6.18: ``mm_init.c:mem_init_print_info``, ``page_alloc.c:alloc_large_system_hash``,
``mm/percpu.c:pcpu_embed_first_chunk``, ``kernel/dma/swiotlb.c:swiotlb_print_info``, ``of_reserved_mem.c``,
``kernel/dma/pool.c``, ``mm_init.c:free_area_init``, ``kernel/trace/ftrace.c:ftrace_init``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from memfit.device.spans import Span
from memfit.units import KIB, MIB


class ReservedNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the device tree's ``reserved-memory``; ``reusable`` ones (CMA) stay inside MemTotal."""

    name: str
    span: Span
    reusable: bool


class HashTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that the kernel sizes by the machine's memory; ``vmalloc`` ones are counted as such.

    ``early`` ones were taken before MemTotal was struck, later ones out of it.
    """

    name: str
    bytes: int
    vmalloc: bool
    early: bool


class BootLog(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one boot, in bytes; None where the log has no such line.

    Attributes:
        source: the file it was read from.
        linux_bytes: the second figure of the ``Memory:`` line: all DRAM that Linux was handed.
        available_bytes: the first: given to the page allocator at that moment, CMA not counted.
        image_bytes: code, read-write data, read-only data and bss; not init, which is freed.
        reserved_bytes: what was neither available nor CMA at that moment.
        cma_bytes: CMA pools, which count in MemTotal.
        freed_bytes: given to the page allocator later on: initrd, init section, gaps in the image.
        ranges: DRAM that Linux was handed, by address.
        tables: hash tables, sized at boot.
        percpu_pages: of the first chunk of each CPU.
        cpus: as the slab allocator counted them.
        swiotlb_bytes: bounce buffers.
        dma_pools_bytes: pools for atomic DMA allocations.
        ftrace_bytes: records of the places where functions can be traced.
        crash_bytes: for a crash kernel.
        framebuffer_bytes: taken over from the boot loader.
        nvmap_pool_limit_bytes: the most that NvMap's page pool may keep.
        cma_failure_bytes: the last allocation that a CMA pool could not give.
    """

    source: str = ""
    linux_bytes: int | None = None
    available_bytes: int | None = None
    image_bytes: int | None = None
    reserved_bytes: int | None = None
    cma_bytes: int = 0
    freed_bytes: int = 0
    ranges: tuple[Span, ...] = ()
    nodes: tuple[ReservedNode, ...] = ()
    tables: tuple[HashTable, ...] = ()
    percpu_pages: int | None = None
    cpus: int | None = None
    swiotlb_bytes: int | None = None
    dma_pools_bytes: tuple[int, ...] = ()
    ftrace_bytes: int | None = None
    crash_bytes: int | None = None
    framebuffer_bytes: int = 0
    nvmap_pool_limit_bytes: int | None = None
    cma_failure_bytes: int | None = None


_BANNER = re.compile(r"\bLinux version \d")
_BEFORE_BANNER = re.compile(r"Booting Linux|OF: (?:fdt|reserved mem)|Reserved memory:|Machine model")
_MEMORY = re.compile(r"Memory: (\d+)K/(\d+)K available \((.*)\)")
_PART = re.compile(r"(\d+)K ([a-z -]+)")
_FREEING = re.compile(r"Freeing (?:initrd|unused kernel)[^:]*memory: (\d+)K")
_RANGE = re.compile(r"\bnode +\d+: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")
_NODE = re.compile(
    r"OF: reserved mem: 0x([0-9a-f]+)\.\.0x([0-9a-f]+) \(\d+ KiB\) (?:no)?map (non-reusable|reusable) (\S+)"
)
_TABLE = re.compile(r"([^\s\]:;>][^\]:;>]*?) hash table entries: \d+ \(order:? *\d+, (\d+) bytes(?:, ([a-z ]+))?\)")
_PERCPU = re.compile(r"percpu: Embedded (\d+) pages/cpu")
_CPUS = re.compile(r"SLUB: .*\bCPUs=(\d+)")
_SWIOTLB = re.compile(r"software IO TLB: mapped \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")
_DMA_POOL = re.compile(r"DMA: preallocated (\d+) KiB (\S+) pool for atomic")
_FTRACE = re.compile(r"ftrace: (?:allocating \d+ entries in|allocated) (\d+) pages")  # the second since 5.7
_CRASH = re.compile(r"crashkernel(?: low memory)? reserved: (?:0x)?([0-9a-f]+) - (?:0x)?([0-9a-f]+)")
_CRASH_OLD = re.compile(r"Reserving (\d+)MB of (?:low )?memory at .*crashkernel")
_FRAMEBUFFER = re.compile(r"Found tegra_fbmem: ([0-9a-f]+)@[0-9a-f]+")
_NVMAP_POOL = re.compile(r"nvmap page pool size: (\d+) pages")
_CMA_FAILURE = re.compile(r"cma: .*alloc failed, req-size: (\d+) pages")
_LONGEST_LINE = 2048
# one of them is in every line that a pattern above can match
_WORDS = (
    "Linux version",
    "Booting Linux",
    "OF: ",
    "Reserved memory:",
    "Machine model",
    "Memory: ",
    "Freeing ",
    "node ",
    "hash table entries",
    "percpu: ",
    "SLUB: ",
    "software IO TLB",
    "DMA: preallocated",
    "ftrace: ",
    "crashkernel",
    "tegra_fbmem",
    "nvmap page pool",
    "alloc failed",
)
_IMAGE = ("kernel code", "rwdata", "rodata", "bss")


def parse_boot_log(text: str, source: str = "", *, page_bytes: int = 4096) -> BootLog:
    """The last boot in ``text``; every field absent where nothing in it is understood."""
    # a log of a busy machine has thousands of lines: a look for words costs a tenth of a search for patterns
    lines = _last_boot([line for line in text.splitlines() if _may_count(line)])
    log: dict[str, Any] = {"source": source}
    for line in lines:
        if match := _MEMORY.search(line):
            log.update(_memory(match))
        elif match := _SWIOTLB.search(line):
            log["swiotlb_bytes"] = _span(match).bytes + (log.get("swiotlb_bytes") or 0)
        elif match := _PERCPU.search(line):
            log["percpu_pages"] = int(match[1])
        elif match := _FTRACE.search(line):
            log["ftrace_bytes"] = int(match[1]) * page_bytes
        elif match := _CPUS.search(line):
            log["cpus"] = int(match[1])
        elif match := _NVMAP_POOL.search(line):
            log["nvmap_pool_limit_bytes"] = int(match[1]) * page_bytes
        elif match := _CMA_FAILURE.search(line):
            log["cma_failure_bytes"] = int(match[1]) * page_bytes
    return BootLog(
        **log,
        freed_bytes=sum(int(match[1]) * KIB for match in _every(_FREEING, lines)),
        ranges=tuple(sorted(_inclusive(match) for match in _every(_RANGE, lines))),
        nodes=tuple(
            ReservedNode(name=match[4], span=_inclusive(match), reusable=match[3] == "reusable")
            for match in _every(_NODE, lines)
        ),
        tables=_tables(lines),
        dma_pools_bytes=tuple(int(match[1]) * KIB for match in _every(_DMA_POOL, lines)),
        crash_bytes=_crash(lines),
        framebuffer_bytes=sum(int(match[1], 16) for match in _every(_FRAMEBUFFER, lines)),
    )


def _may_count(line: str) -> bool:
    # the kernel's own lines are short; in a line of megabytes a pattern would look from each letter on
    if len(line) <= _LONGEST_LINE:
        for word in _WORDS:  # any() with a generator takes three times as long
            if word in line:
                return True
    return False


def _last_boot(lines: list[str]) -> list[str]:
    """What the last boot said: a file may hold several, and the first lines of one may precede its banner."""
    banners = [index for index, line in enumerate(lines) if _BANNER.search(line)]
    if len(banners) < 2:  # one boot, whose lines may stand in any order
        return lines
    first = banners[-1]
    while first > banners[-2] + 1 and _BEFORE_BANNER.search(lines[first - 1]):
        first -= 1
    return lines[first:]


def _memory(match: re.Match[str]) -> dict[str, Any]:
    parts = {name.strip(): int(size) * KIB for size, name in _PART.findall(match[3])}
    image = [parts[name] for name in _IMAGE if name in parts]
    return {
        "available_bytes": int(match[1]) * KIB,
        "linux_bytes": int(match[2]) * KIB,
        "image_bytes": sum(image) if len(image) == len(_IMAGE) else None,
        "reserved_bytes": parts.get("reserved"),
        "cma_bytes": parts.get("cma-reserved", 0),
    }


def _tables(lines: list[str]) -> tuple[HashTable, ...]:
    struck = next((index for index, line in enumerate(lines) if _MEMORY.search(line)), len(lines))
    return tuple(
        HashTable(
            name=match[1].removesuffix("-cache"),
            bytes=int(match[2]),
            vmalloc="vmalloc" in (match[3] or ""),
            early=index < struck,
        )
        for index, line in enumerate(lines)
        if (match := _TABLE.search(line))
    )


def _crash(lines: list[str]) -> int | None:
    sizes = [_span(match).bytes for match in _every(_CRASH, lines)]
    sizes += [int(match[1]) * MIB for match in _every(_CRASH_OLD, lines)]
    return sum(sizes) if sizes else None


def _every(pattern: re.Pattern[str], lines: list[str]) -> list[re.Match[str]]:
    return [match for line in lines if (match := pattern.search(line))]


def _span(match: re.Match[str]) -> Span:
    start, end = int(match[1], 16), int(match[2], 16)
    return Span(start, max(start, end))


def _inclusive(match: re.Match[str]) -> Span:
    start, end = int(match[1], 16), int(match[2], 16)
    return Span(start, max(start, end + 1))
