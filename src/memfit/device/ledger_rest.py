"""Known causes of what a ledger cannot itemise. Each is a range; none is ever added to a sum."""

from __future__ import annotations

from memfit.device.audit_records import Explanation
from memfit.device.boot_log import BootLog
from memfit.device.ledger_facts import LedgerFacts
from memfit.units import KIB, format_bytes

_WORTH_A_WORD_BYTES = 64 * KIB
_POOL_SHARE = 8  # NvMap's page pool may grow to 1/8 of MemTotal: nvidia-oot nvmap_pp.c, NVMAP_PP_POOL_SIZE 128/1024
_PTE_SHARE = 512  # an entry of 8 bytes for each page of 4 KiB


def explain(
    facts: LedgerFacts, *, boot_rest_bytes: int, rest_bytes: int, named: frozenset[str] = frozenset()
) -> tuple[Explanation, ...]:
    """Causes of the two parts that can be left over: of what booting took, and of MemTotal.

    Carveouts are no part of it: what firmware keeps is measured whole, hole by hole. What is ``named`` by a term is no
    cause of the rest.
    """
    found = []
    if boot_rest_bytes >= _WORTH_A_WORD_BYTES:
        found += _boot_causes(facts, boot_rest_bytes, named)
    if rest_bytes >= _WORTH_A_WORD_BYTES:
        found += _causes(facts, rest_bytes)
    return tuple(found)


def _boot_causes(facts: LedgerFacts, rest_bytes: int, named: frozenset[str]) -> list[Explanation]:
    log = facts.boot_log or BootLog()
    found = []
    if log.linux_bytes is None:
        cause = "boot: hash tables, per-CPU memory, SWIOTLB and reservations; the boot log could not be read"
        found.append(_most(cause, rest_bytes, rest_bytes, "mm/mm_init.c"))
    if facts.tegra and "linear_map_tables" not in named:
        cause = "boot: page tables of the linear map, whole pages where rodata=full (the default)"
        found.append(_most(cause, facts.linux_bytes // _PTE_SHARE, rest_bytes, "arch/arm64/mm/mmu.c: map_mem"))
    cause = "boot: early allocations without a line of their own (device tree, EFI tables, log buffer, node data)"
    found.append(_most(cause, rest_bytes, rest_bytes, "mm/memblock.c"))
    return found


def _causes(facts: LedgerFacts, rest_bytes: int) -> list[Explanation]:
    memory = facts.moment.meminfo
    found = []
    if facts.tegra:
        found += _nvidia_causes(facts, rest_bytes)
    held = max(0, memory.get("CmaTotal", 0) - memory.get("CmaFree", 0))
    if held and not facts.cma:
        cause = "CMA pages given to drivers; only root may read /sys/kernel/debug/cma"
        found.append(_most(cause, held, rest_bytes, "/proc/meminfo: CmaTotal less CmaFree"))
    swapped = max(0, memory.get("SwapTotal", 0) - memory.get("SwapFree", 0))
    counted = "nr_zspages" in facts.moment.counters or any(swap.cost_bytes is not None for swap in facts.swaps)
    if swapped and not counted:
        cause = "zram's compressed pages, should the swap lie there"
        found.append(_most(cause, swapped, rest_bytes, "/proc/meminfo: SwapTotal less SwapFree"))
    if facts.boot_log is None or facts.boot_log.linux_bytes is None:
        cause = "tables and DMA pools taken at boot; the boot log could not be read"
        found.append(_most(cause, rest_bytes, rest_bytes, "mm/page_alloc.c: alloc_large_system_hash"))
    if facts.sockets_bytes:
        cause = "pages of network buffers, as far as they lie outside of slabs"
        found.append(_most(cause, facts.sockets_bytes, rest_bytes, "/proc/net/sockstat: mem"))
    cause = "pages that drivers took straight from the page allocator (receive rings, GPU, storage queues)"
    found.append(_most(cause, rest_bytes, rest_bytes, "alloc_pages: counted by no field of meminfo"))
    return found


def _nvidia_causes(facts: LedgerFacts, rest_bytes: int) -> list[Explanation]:
    total = facts.moment.meminfo["MemTotal"]
    nvmap = facts.nvmap
    found = []
    if not facts.nvgpu:
        cause = "memory that the NVIDIA driver gave to CUDA: NvMap shows 0K here (Thor), nvidia-smi tells it"
        found.append(_most(cause, rest_bytes, rest_bytes, "NVIDIA driver 580 and later on Tegra264"))
    if nvmap is None or not nvmap.readable:
        cause = "NvMap: CUDA, video and display; only root may read its tables in debugfs"
        found.append(_most(cause, rest_bytes, rest_bytes, "/sys/kernel/debug/nvmap"))
    if nvmap is None or nvmap.pool_bytes is None:
        limit = nvmap.pool_limit_bytes if nvmap is not None else None
        limit = limit or (facts.boot_log.nvmap_pool_limit_bytes if facts.boot_log is not None else None)
        cause = "NvMap's pool of freed pages; dropping caches returns them"
        source = f"at most {format_bytes(limit or total // _POOL_SHARE)}: nvmap_pp.c, RAM/8"
        found.append(_most(cause, limit or total // _POOL_SHARE, rest_bytes, source))
    if facts.nvgpu:
        cause = "nvgpu's own page tables, contexts and compression tags"
        found.append(_most(cause, total // 256, rest_bytes, "CMA at power-on: MemTotal/256 (OE4T/meta-tegra#1613)"))
    return found


def _most(cause: str, most_bytes: int, rest_bytes: int, source: str) -> Explanation:
    return Explanation(cause=cause, low_bytes=0, high_bytes=min(most_bytes, rest_bytes), source=source)
