"""Inside MemTotal: what programs hold, what the page cache keeps for them, and what is free.

The fields overlap, so they are taken apart before they are added (``fs/proc/meminfo.c``, ``mm/show_mem.c`` of 6.18):

- ``Buffers`` + ``Cached`` + ``SwapCached`` = ``NR_FILE_PAGES``: every page of a file, of shared memory, of secret
  memory (``memfd_secret``) and of the swap cache.
- ``Shmem`` is the part of ``Cached`` that has no file on a disk: tmpfs, shared anonymous memory, memfd, System V
  segments, buffers of GPU drivers. ``Mapped`` counts pages of ``Cached`` that a process has mapped, shared ones too.
- ``AnonPages`` are mapped anonymous pages. Those of the swap cache that nobody has mapped are in ``SwapCached`` alone;
  those that are mapped are in both. The LRU lists tell how many: (in)active anonymous pages are ``AnonPages``,
  ``Shmem`` and what of the swap cache is unmapped, less those that are locked.
- ``Unevictable`` file pages (mlock, ramfs, secret memory) are what the (in)active file lists lack.
- ``MemFree`` includes ``CmaFree`` and ``Unaccepted`` pages (of confidential machines, since 6.5). It does not include
  pages that wait in a CPU's own lists (``pagesets``).
"""

from __future__ import annotations

from collections import Counter

from memfit.device.audit_records import DramTerm, FactSource, Layer, ProcessRow
from memfit.device.ledger_facts import LedgerFacts
from memfit.units import MIB, format_bytes

_MEMINFO = "/proc/meminfo"
_SMALLEST_HOLDER_BYTES = MIB


def user_terms(facts: LedgerFacts) -> list[DramTerm]:
    """Anonymous memory by who started it, files in memory by mount, and the swap cache."""
    terms = [*_anonymous(facts), *_shared(facts)]
    unmapped = _unmapped_swap_cache(facts.moment.meminfo)
    terms.append(_term("swap_cache", "user", unmapped, f"{_MEMINFO}: SwapCached, not mapped", evictable=True))
    return [term for term in terms if term.bytes > 0]


def cache_terms(facts: LedgerFacts) -> list[DramTerm]:
    """The page cache of files, in parts that do not overlap."""
    memory = facts.moment.meminfo
    whole, locked = file_cache_bytes(memory), _locked_file_bytes(memory)
    mapped = min(max(0, memory.get("Mapped", 0) - facts.shared_mapped_bytes), whole - locked)
    dirty = min(memory.get("Dirty", 0) + memory.get("Writeback", 0), whole - locked - mapped)
    clean = whole - locked - mapped - dirty
    active = format_bytes(memory.get("Active(file)", 0))
    terms = [
        _term("locked_files", "cache", locked, f"{_MEMINFO}: file pages that are on no list"),
        _term("mapped_files", "cache", mapped, f"{_MEMINFO}: Mapped, less shared memory", evictable=True),
        _term("dirty_files", "cache", dirty, f"{_MEMINFO}: Dirty, Writeback; written before dropped", evictable=True),
        _term("clean_files", "cache", clean, f"{_MEMINFO}: the rest; {active} of all active", evictable=True),
    ]
    return [term for term in terms if term.bytes > 0]


def free_terms(facts: LedgerFacts) -> list[DramTerm]:
    """What nobody holds."""
    memory, zones = facts.moment.meminfo, facts.moment.zones
    contiguous = memory.get("CmaFree", 0)
    lists = zones.page_lists_bytes if zones is not None else 0
    terms = [
        _term("free", "free", max(0, memory["MemFree"] - contiguous), f"{_MEMINFO}: MemFree less CmaFree"),
        _term("cma_free", "free", contiguous, f"{_MEMINFO}: CmaFree; movable pages only, and not for NvMap"),
        _term("free_per_cpu", "free", lists, "/proc/zoneinfo: pagesets; free, and in no count of meminfo"),
    ]
    return [term for term in terms if term.bytes > 0]


def file_cache_bytes(memory: dict[str, int]) -> int:
    """Pages of files on disks: all of the page cache but shared memory."""
    return max(0, memory.get("Buffers", 0) + memory.get("Cached", 0) - memory.get("Shmem", 0))


def _locked_file_bytes(memory: dict[str, int]) -> int:
    lists = memory.get("Active(file)", 0) + memory.get("Inactive(file)", 0)
    return max(0, file_cache_bytes(memory) - lists) if lists else 0


def holder_of(row: ProcessRow) -> str:
    """Who a process is counted under: its unit, else its own name."""
    return row.unit or row.name


def _anonymous(facts: LedgerFacts) -> list[DramTerm]:
    """``AnonPages``, given to holders by what their processes have; the rest is of small ones and of unread ones."""
    left = facts.moment.meminfo.get("AnonPages", 0)
    sizes: Counter[str] = Counter()
    for row in facts.processes:
        if row.pss_bytes is not None:
            sizes[holder_of(row)] += row.anonymous_bytes
    terms = []
    for holder, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if size < _SMALLEST_HOLDER_BYTES:
            continue
        # processes are read one after the other: what has grown meanwhile was not there when AnonPages was read
        counted = min(size, left)
        left -= counted
        terms.append(_term("anonymous", "user", counted, "/proc/PID/smaps_rollup: Pss_Anon", holder=holder))
    terms.append(_term("anonymous", "user", left, f"{_MEMINFO}: AnonPages less those named", holder="others"))
    return terms


def _shared(facts: LedgerFacts) -> list[DramTerm]:
    left = facts.moment.meminfo.get("Shmem", 0)
    terms = []
    for mount, used in facts.files:
        size = min(used, left)  # tmpfs counts what it has on swap as well
        left -= size
        terms.append(_term("tmpfs", "user", size, "statvfs of the mount", holder=mount))
    segments = min(facts.segments_bytes, left)
    terms.append(_term("shared_segments", "user", segments, "/proc/sysvipc/shm: rss"))
    rest = f"{_MEMINFO}: Shmem less tmpfs; shared anonymous memory, memfd, drivers"
    terms.append(_term("shared_memory", "user", left - segments, rest))
    return terms


def _unmapped_swap_cache(memory: dict[str, int]) -> int:
    on_lists = sum(memory.get(field, 0) for field in ("Active(anon)", "Inactive(anon)", "Unevictable"))
    known = memory.get("AnonPages", 0) + memory.get("Shmem", 0) + _locked_file_bytes(memory)
    return max(0, min(memory.get("SwapCached", 0), on_lists - known))


def _term(
    name: str,
    layer: Layer,
    size: int,
    evidence: str,
    *,
    source: FactSource = "measured",
    holder: str | None = None,
    evictable: bool = False,
) -> DramTerm:
    return DramTerm(
        name=name, layer=layer, bytes=size, source=source, holder=holder, evidence=evidence, evictable=evictable
    )
