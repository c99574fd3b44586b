"""Inside MemTotal: what the kernel and its drivers hold.

No page may count twice, so each field of meminfo stands for pages that no other term has (sources: Linux 6.18, the same
since 5.3 where not said otherwise):

- ``Slab`` = ``SReclaimable`` + ``SUnreclaim``. ``KReclaimable`` (4.20) adds reclaimable pages outside of slabs.
- ``VmallocUsed`` counts pages of vmalloc (since 5.3; 0 before: then ``/proc/vmallocinfo``, which only root may read).
  Modules, BPF and tables of zram lie there. Task stacks do too (CONFIG_VMAP_STACK) and are taken out of it again.
- ``KernelStack`` counts stacks of living tasks (``kernel/fork.c:account_kernel_stack``); vmallocinfo shows the few that
  each CPU keeps for the next task as well.
- ``Percpu`` includes the first chunk of every CPU (``mm/percpu.c:pcpu_setup_first_chunk``), which was taken before
  MemTotal was struck and is taken out here.
- ``PageTables``; ``SecPageTables`` (6.2) are tables of KVM and, since 6.9, of IOMMUs.
- ``nr_zspages`` (vmstat, since 4.18) is all that zram and zswap hold; before, ``mem_used_total`` of each zram.
- ``Hugetlb`` (4.15) is the pool of huge pages, whether anyone has mapped them or not; no other field counts them.
- NvMap's pages come straight from the page allocator (``nvmap_alloc.c``, ``nvmap_pp.c``): no field of meminfo has them.
- Pages that CMA gave to drivers (``cma_alloc``) are in no field either, until they come back.
"""

from __future__ import annotations

from memfit.device.audit_records import DramTerm, FactSource, Layer
from memfit.device.boot_log import BootLog
from memfit.device.kernel_memory import PAGE_BYTES
from memfit.device.ledger_facts import LedgerFacts
from memfit.units import KIB, format_bytes

_MEMINFO = "/proc/meminfo"
_NAMED_SLABS = 3


def kernel_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What the kernel holds for itself."""
    memory = facts.moment.meminfo
    terms = _slabs(facts)
    terms += [
        _term("page_tables", memory.get("PageTables", 0), f"{_MEMINFO}: PageTables"),
        _term("secondary_page_tables", memory.get("SecPageTables", 0), f"{_MEMINFO}: SecPageTables"),
        *_stacks_and_vmalloc(facts),
        _term("percpu", percpu_bytes(facts), f"{_MEMINFO}: Percpu, less what was taken at boot"),
        _term("huge_pages", memory.get("Hugetlb", 0), f"{_MEMINFO}: Hugetlb"),
        _term("bounce", memory.get("Bounce", 0), f"{_MEMINFO}: Bounce"),
        _zram(facts),
    ]
    return [term for term in terms if term.bytes > 0]


def driver_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What drivers took straight from the page allocator, as far as they tell."""
    memory = facts.moment.meminfo
    terms = _nvmap(facts)
    if facts.nvmap is not None and facts.nvmap.pool_bytes:
        evidence = "/sys/kernel/debug/nvmap/pagepool: freed pages, kept for the next allocation"
        terms.append(_term("nvmap_pool", facts.nvmap.pool_bytes, evidence, layer="drivers", evictable=True))
    for area in facts.cma:
        evidence = f"/sys/kernel/debug/cma: given to drivers, of {format_bytes(area.size_bytes)}"
        terms.append(_term("cma_drivers", area.used_bytes, evidence, layer="drivers", holder=area.name))
    for field in ("GPUActive", "GPUReclaim"):  # TTM's pages, since 6.19
        evictable = field == "GPUReclaim"
        size, evidence = memory.get(field, 0), f"{_MEMINFO}: {field}"
        terms.append(_term("gpu_pages", size, evidence, layer="drivers", holder=field, evictable=evictable))
    return [term for term in terms if term.bytes > 0]


def percpu_bytes(facts: LedgerFacts) -> int:
    """Per-CPU memory beyond the first chunks."""
    log = facts.boot_log or BootLog()
    first = (log.percpu_pages or 0) * (log.cpus or 0) * PAGE_BYTES
    return max(0, facts.moment.meminfo.get("Percpu", 0) - first)


def _slabs(facts: LedgerFacts) -> list[DramTerm]:
    memory = facts.moment.meminfo
    largest = ", ".join(f"{name} {format_bytes(size)}" for name, size in facts.slabs[:_NAMED_SLABS])
    told = f"; largest: {largest}" if largest else ""
    unreclaimable = memory.get("SUnreclaim", max(0, memory.get("Slab", 0) - memory.get("SReclaimable", 0)))
    reclaimable = memory.get("SReclaimable", 0)
    other = max(0, memory.get("KReclaimable", reclaimable) - reclaimable)
    return [
        _term("slab_unreclaimable", unreclaimable, f"{_MEMINFO}: SUnreclaim"),
        _term("slab_reclaimable", reclaimable, f"{_MEMINFO}: SReclaimable{told}", evictable=True),
        _term("kernel_reclaimable", other, f"{_MEMINFO}: KReclaimable less SReclaimable", evictable=True),
    ]


def _stacks_and_vmalloc(facts: LedgerFacts) -> list[DramTerm]:
    memory, areas = facts.moment.meminfo, facts.moment.vmalloc
    stacks = memory.get("KernelStack", 0)
    if areas is None:
        # every arm64 and x86-64 kernel of a distribution has CONFIG_VMAP_STACK; without root nobody can look
        rest = max(0, memory.get("VmallocUsed", 0) - stacks)
        return [
            _term("kernel_stacks", stacks, f"{_MEMINFO}: KernelStack"),
            _term("vmalloc", rest, f"{_MEMINFO}: VmallocUsed less KernelStack", source="inferred"),
        ]
    used = memory.get("VmallocUsed", 0) or areas.total_bytes
    largest = ", ".join(f"{name} {format_bytes(size)}" for name, size in areas.holders[:_NAMED_SLABS])
    return [
        _term("kernel_stacks", max(stacks, areas.stacks_bytes), f"{_MEMINFO}: KernelStack, /proc/vmallocinfo"),
        _term("vmalloc", max(0, used - areas.stacks_bytes), f"/proc/vmallocinfo without stacks; largest: {largest}"),
    ]


def balloon_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What a virtual machine gave back to its host: MemTotal shrinks by it (``adjust_managed_page_count``)."""
    term = _balloon(facts)
    return [term] if term.bytes else []


def _balloon(facts: LedgerFacts) -> DramTerm:
    counters = facts.moment.counters
    if "Balloon" in facts.moment.meminfo:  # since 6.16
        return _term("balloon", facts.moment.meminfo["Balloon"], f"{_MEMINFO}: Balloon", layer="drivers")
    pages = counters.get("balloon_inflate", 0) - counters.get("balloon_deflate", 0)
    evidence = "/proc/vmstat: balloon_inflate less balloon_deflate"
    return _term("balloon", max(0, pages) * PAGE_BYTES, evidence, layer="drivers")


def _zram(facts: LedgerFacts) -> DramTerm:
    devices = [swap for swap in facts.swaps if swap.cost_bytes is not None]
    names = ", ".join(swap.name for swap in devices) if len(devices) < 3 else f"{len(devices)} devices"
    pages = facts.moment.counters.get("nr_zspages")
    if pages is not None:
        return _term("zram", pages * PAGE_BYTES, "/proc/vmstat: nr_zspages", holder=names or None)
    return _term("zram", sum(swap.cost_bytes or 0 for swap in devices), "mm_stat: mem_used_total", holder=names or None)


def _nvmap(facts: LedgerFacts) -> list[DramTerm]:
    """Clients by name, then what NvMap holds beyond them: shared, or of no client that lives."""
    if facts.nvmap is None or not facts.nvmap.readable:
        told = facts.moment.meminfo.get("NvMapMemUsed", 0)  # R32 to R35 print it, R36 does not
        return [_term("nvmap", told, f"{_MEMINFO}: NvMapMemUsed", layer="drivers")]
    evidence = "/sys/kernel/debug/nvmap/iovmm/clients"
    clients = sorted(facts.nvmap.clients, key=lambda client: -client.bytes)
    left = facts.nvmap.total_bytes if facts.nvmap.total_bytes is not None else sum(each.bytes for each in clients)
    terms = []
    for client in clients:
        # rows divide what is shared, and round up to KiB: together they can exceed the total by a little
        size = min(client.bytes, left)
        left -= size
        who = client.name if client.pid is None else f"{client.name} ({client.pid})"
        terms.append(_term("nvmap", size, evidence, layer="drivers", holder=who))
    if left >= KIB:
        terms.append(_term("nvmap", left, f"{evidence}: total less its rows", layer="drivers", holder="no client"))
    return terms


def _term(
    name: str,
    size: int,
    evidence: str,
    *,
    layer: Layer = "kernel",
    source: FactSource = "measured",
    holder: str | None = None,
    evictable: bool = False,
) -> DramTerm:
    return DramTerm(
        name=name, layer=layer, bytes=size, source=source, holder=holder, evidence=evidence, evictable=evictable
    )
