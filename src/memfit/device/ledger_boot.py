"""From the DRAM of a machine down to MemTotal: what firmware keeps and what the kernel takes while it boots."""

from __future__ import annotations

from memfit.device.audit_records import DramTerm, FactSource
from memfit.device.boot_log import BootLog, HashTable, ReservedNode
from memfit.device.carveouts import holes, unmapped
from memfit.device.kernel_memory import PAGE_BYTES, Region, crash_kernel, kernel_image, system_ram
from memfit.device.ledger_facts import LedgerFacts
from memfit.device.spans import Span, join, total_bytes, without
from memfit.units import GIB, KIB, MIB, format_bytes

_SECTION_BYTES = 128 * MIB  # SECTION_SIZE_BITS 27: arm64 since 5.12 with 4 KiB pages, x86-64
_SHARED = "CCPLEX_INTERWORLD_SHMEM"
# what one page of entries maps, level by level: pages of 4 KiB, 48 bits of addresses
_TABLE_SPANS = (2 * MIB, GIB, 512 * GIB)
_TABLES_BESIDE_BYTES = 256 * KIB  # of the kernel's own image, taken with them
_STRUCT_PAGE_BYTES = 64  # include/linux/mm_types.h, on 64-bit kernels of the usual configurations


def firmware_terms(facts: LedgerFacts, physical_bytes: int) -> list[DramTerm]:
    """DRAM that Linux was not handed: hole by hole where addresses are known, else as one difference."""
    gap = physical_bytes - facts.linux_bytes
    if gap <= 0:
        return []
    ranges, evidence = _ranges(facts)
    found = holes(physical_bytes, ranges) if facts.tegra else None
    # addresses of another boot, or a MemTotal that hotplug moved, would make holes that are none
    if not found or abs(total_bytes(found) - gap) > MIB:
        return [
            DramTerm(
                name="carveouts",
                layer="firmware",
                bytes=gap,
                source="inferred",
                evidence=f"{facts.physical_evidence} less what /proc/zoneinfo has present",
            )
        ]
    named = _nodes(facts)
    terms = [
        DramTerm(
            name="carveout",
            layer="firmware",
            bytes=hole.bytes,
            source="measured",
            holder=", ".join(node.name for node in named if hole.start <= node.span.start < hole.end) or str(hole),
            evidence=f"{evidence}: {hole} is not Linux's",
        )
        for hole in found
    ]
    rest = gap - total_bytes(found)
    return [*terms, _term("carveout_edges", "firmware", rest, "inferred", evidence)] if rest > 0 else terms


def boot_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What the kernel took before MemTotal was struck, and never gave back."""
    log = facts.boot_log or BootLog()
    terms = [_struct_pages(facts), _image(facts, log)]
    early = [table for table in log.tables if table.early]
    terms.append(_tables("boot_tables", early, log))
    if log.percpu_pages is not None and log.cpus is not None:
        size = log.percpu_pages * log.cpus * PAGE_BYTES
        terms.append(_term("percpu_boot", "boot", size, "measured", f"{log.source}: percpu: Embedded"))
    terms += [_linear_map(facts), _bounce(facts, log), _crash(facts, log), *_reservations(facts)]
    if log.framebuffer_bytes:
        terms.append(_term("boot_framebuffer", "boot", log.framebuffer_bytes, "measured", f"{log.source}: tegra_fbmem"))
    return [term for term in terms if term is not None]


def late_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What booting took out of MemTotal: tables and pools that no counter of meminfo shows."""
    log = facts.boot_log or BootLog()
    terms = [_tables("late_tables", [table for table in log.tables if not table.early and not table.vmalloc], log)]
    # where there is CMA the first pool lies in it (kernel/dma/pool.c:atomic_pool_expand), and counts there
    pools = log.dma_pools_bytes[1:] if facts.cma else log.dma_pools_bytes
    if pools:
        terms.append(_term("dma_pools", "boot", sum(pools), "measured", f"{log.source}: DMA: preallocated"))
    if log.ftrace_bytes:
        terms.append(_term("ftrace", "boot", log.ftrace_bytes, "measured", f"{log.source}: ftrace: allocated"))
    return [term for term in terms if term is not None]


def _struct_pages(facts: LedgerFacts) -> DramTerm:
    counters = facts.moment.counters
    pages = counters.get("nr_memmap_boot_pages", 0) + counters.get("nr_memmap_pages", 0)
    if pages:
        return _term("struct_pages", "boot", pages * PAGE_BYTES, "measured", "/proc/vmstat: nr_memmap_boot_pages")
    ranges, _ = _ranges(facts)
    down = (Span(span.start - span.start % _SECTION_BYTES, span.end + -span.end % _SECTION_BYTES) for span in ranges)
    described = total_bytes(down) or facts.linux_bytes
    size = described // PAGE_BYTES * _STRUCT_PAGE_BYTES
    return _term("struct_pages", "boot", size, "inferred", "64 bytes for each page of every section of 128 MiB")


def _image(facts: LedgerFacts, log: BootLog) -> DramTerm | None:
    if log.image_bytes is not None:
        evidence = f"{log.source}: Memory: … kernel code, rwdata, rodata, bss"
        return _term("kernel_image", "boot", log.image_bytes, "measured", evidence)
    size = kernel_image(facts.regions)
    return _term("kernel_image", "boot", size, "measured", "/proc/iomem: Kernel code, data, bss") if size else None


def _tables(name: str, tables: list[HashTable], log: BootLog) -> DramTerm | None:
    if not tables:
        return None
    names = ", ".join(table.name for table in sorted(tables, key=lambda table: -table.bytes)[:3])
    size = sum(table.bytes for table in tables)
    return _term(name, "boot", size, "measured", f"{log.source}: {len(tables)} hash tables ({names} …)")


def _linear_map(facts: LedgerFacts) -> DramTerm | None:
    """Page tables of the mapping of all memory: the one range kept in System RAM that is just as large as they are.

    arm64 maps by pages unless rodata= says otherwise (``arch/arm64/mm/mmu.c:map_mem``), with 8 bytes for each, and
    takes them before anything else, from the end of memory: they stand apart. Without such a range there is no term.
    """
    ranges, _ = _ranges(facts)
    mapped = without(join(ranges), _kept_regions(facts.regions))
    least = sum(_blocks(mapped, size) for size in _TABLE_SPANS) * PAGE_BYTES
    kept = [region.span.bytes for region in facts.regions if region.depth > 0 and region.name == "reserved"]
    found = [size for size in kept if least <= size <= least + _TABLES_BESIDE_BYTES]
    if not mapped or len(found) != 1:
        return None
    evidence = "/proc/iomem: the kept range of the size that 8 bytes for each mapped page make"
    return _term("linear_map_tables", "boot", found[0], "inferred", evidence)


def _blocks(spans: tuple[Span, ...], size: int) -> int:
    """How many aligned blocks of this size the spans, by address, touch."""
    count, last = 0, -1
    for span in spans:
        first, end = span.start // size, (span.end - 1) // size
        count += end - max(first, last + 1) + 1 if end > last else 0
        last = max(last, end)
    return count


def _bounce(facts: LedgerFacts, log: BootLog) -> DramTerm | None:
    if facts.bounce is not None and facts.bounce.size_bytes:
        used = facts.bounce.used_bytes
        told = "" if used is None else f", {format_bytes(used)} of it in use"
        evidence = f"/sys/kernel/debug/swiotlb{told}"
        return _term("swiotlb", "boot", facts.bounce.size_bytes, "measured", evidence)
    if log.swiotlb_bytes:
        return _term("swiotlb", "boot", log.swiotlb_bytes, "measured", f"{log.source}: software IO TLB: mapped")
    return None


def _crash(facts: LedgerFacts, log: BootLog) -> DramTerm | None:
    if facts.crash is not None:
        size, evidence = facts.crash.size_bytes, "/sys/kernel/kexec_crash_size"
    else:
        size = crash_kernel(facts.regions)
        evidence = "/proc/iomem: Crash kernel" if size else f"{log.source}: crashkernel reserved"
        size = size or log.crash_bytes or 0
    return _term("crashkernel", "boot", size, "measured", evidence) if size else None


def _reservations(facts: LedgerFacts) -> list[DramTerm]:
    """Reservations by name, then firmware's tables that Linux may not touch and nobody named."""
    ranges, evidence = _ranges(facts)
    fixed = [node for node in _nodes(facts) if not node.reusable]
    terms = []
    for node in fixed:
        size = node.span.bytes - total_bytes(without((node.span,), ranges))
        if size:
            known = "the device tree's reserved-memory"
            terms.append(_term("reserved_memory", "boot", size, "measured", known, node.name))
    shared = _shared_with_firmware(facts, ranges)
    if shared is not None:
        known = f"a range of its own and of the size that the boot configuration gives {_SHARED}"
        terms.append(_term("reserved_memory", "boot", shared.bytes, "inferred", known, _SHARED))
    kept = without(_untouchable(facts), [*(node.span for node in fixed), *([shared] if shared is not None else [])])
    if kept:
        source: FactSource = "measured" if facts.regions else "inferred"
        told = "/proc/iomem" if facts.regions else evidence
        holder = "UEFI run time, firmware tables"
        terms.append(_term("firmware_tables", "boot", total_bytes(kept), source, told, holder))
    return terms


def _untouchable(facts: LedgerFacts) -> tuple[Span, ...]:
    if facts.tegra and facts.regions:
        return _kept_regions(facts.regions)
    return unmapped(facts.boot_log.ranges) if facts.tegra and facts.boot_log is not None else ()


def _shared_with_firmware(facts: LedgerFacts, ranges: tuple[Span, ...]) -> Span | None:
    """The one carveout inside of what Linux was handed, a 32 MiB window for messages between worlds.

    No log names it. It stands apart from other ranges, between holes, and no other range of that size does.
    """
    size = next((entry.bytes for entry in facts.configuration if entry.name == _SHARED), None)
    found = [span for span in join(ranges) if span.bytes == size]
    return found[0] if facts.tegra and len(found) == 1 else None


def _kept_regions(regions: tuple[Region, ...]) -> tuple[Span, ...]:
    """NOMAP memory: arm64 lists it beside System RAM (``arch/arm64/kernel/setup.c:request_standard_resources``)."""
    return join(region.span for region in regions if region.depth == 0 and region.name == "reserved")


def _ranges(facts: LedgerFacts) -> tuple[tuple[Span, ...], str]:
    """Addresses that Linux was handed, and where that stands."""
    if facts.boot_log is not None and facts.boot_log.ranges:
        return facts.boot_log.ranges, facts.boot_log.source
    if facts.regions:
        return join((*system_ram(facts.regions), *_kept_regions(facts.regions))), "/proc/iomem"
    return facts.tree_ranges, "the device tree's memory nodes"


def _nodes(facts: LedgerFacts) -> tuple[ReservedNode, ...]:
    """The boot log knows where the kernel placed nodes that have a size only; the device tree does not."""
    told = facts.boot_log.nodes if facts.boot_log is not None else ()
    return told or facts.nodes


def _term(name: str, layer: str, size: int, source: FactSource, evidence: str, holder: str | None = None) -> DramTerm:
    return DramTerm(name=name, layer=layer, bytes=size, source=source, evidence=evidence, holder=holder)  # type: ignore[arg-type]
