from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from audited_trees import tree_facts
from hypothesis import given
from hypothesis import strategies as st
from trees import names

from memfit.device.audit_records import DramTerm
from memfit.device.kernel_memory import Moment, Vmalloc, Zones, parse_iomem
from memfit.device.ledger import Ledger, LedgerFacts, build_ledger, hidden_bytes
from memfit.device.ledger_read import Machine, read_ledger_facts
from memfit.device.ledger_rest import explain
from memfit.device.nvmap import NvMap
from memfit.host import LocalHost
from memfit.units import GIB, KIB, MIB

HERE = LocalHost()


def sizes(ledger: Ledger, name: str) -> dict[str | None, int]:
    return {term.holder: term.bytes for term in ledger.terms if term.name == name}


def total(ledger: Ledger, name: str) -> int:
    return sum(sizes(ledger, name).values())


@pytest.fixture(params=names())
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LedgerFacts, Ledger, int]:
    facts, host = tree_facts(request.param, tmp_path)
    written = host.machine
    return facts, build_ledger(facts), (written.hidden + written.gpu) * KIB


def test_it_sums_to_physical_memory(tree: tuple[LedgerFacts, Ledger, int]) -> None:
    facts, ledger, _ = tree
    assert sum(term.bytes for term in ledger.terms) + ledger.unexplained_bytes == facts.physical_bytes
    assert all(term.bytes > 0 for term in ledger.terms)


def test_what_no_counter_shows_is_what_was_hidden(tree: tuple[LedgerFacts, Ledger, int]) -> None:
    facts, _, hidden = tree
    # a tree counts per-CPU memory whole; its first chunks were taken before MemTotal was struck
    first_chunks = facts.moment.meminfo["Percpu"] - total(build_ledger(facts), "percpu")
    assert hidden_bytes(facts) - first_chunks == hidden


def test_every_unexplained_byte_has_a_cause(tree: tuple[LedgerFacts, Ledger, int]) -> None:
    _, ledger, _ = tree
    causes = ledger.explanations
    boot = [cause for cause in causes if cause.cause.startswith("boot")]
    assert max(cause.high_bytes for cause in boot) + max(
        cause.high_bytes for cause in causes if cause not in boot
    ) == pytest.approx(ledger.unexplained_bytes, abs=MIB)
    assert all(0 <= cause.low_bytes <= cause.high_bytes for cause in causes)


@pytest.mark.parametrize(
    ("name", "gap_kib"),
    [("orin-nano-8gb-desktop", 255_360), ("orin-nano-8gb-headless", 255_360), ("agx-orin-64gb", 1_329_728)],
)
def test_carveouts_hole_by_hole(name: str, gap_kib: int, tmp_path: Path) -> None:
    facts, _ = tree_facts(name, tmp_path)
    ledger = build_ledger(facts)
    assert sum(term.bytes for term in ledger.terms if term.layer == "firmware") == gap_kib * KIB
    assert {term.name for term in ledger.terms if term.layer == "firmware"} == {"carveout"}
    configured = sum(entry.bytes for entry in facts.configuration)
    assert abs(configured - gap_kib * KIB) <= 3 * MIB


def test_what_firmware_keeps_is_no_cause_of_what_is_unexplained(tmp_path: Path) -> None:
    facts, _ = tree_facts("thor-t5000", tmp_path)
    assert facts.configuration
    told = " ".join(cause.cause for cause in build_ledger(facts).explanations)
    assert "carveout" not in told
    assert "VPR" not in told


def test_an_orin_nano_in_detail(tmp_path: Path) -> None:
    facts, host = tree_facts("orin-nano-8gb-desktop", tmp_path)
    ledger = build_ledger(facts)
    assert total(ledger, "kernel_image") == (19328 + 4066 + 10040 + 521) * KIB
    assert total(ledger, "struct_pages") == 126 * MIB
    assert total(ledger, "swiotlb") == 64 * MIB
    assert sizes(ledger, "reserved_memory") == {"CCPLEX_INTERWORLD_SHMEM": 32 * MIB}
    assert total(ledger, "anonymous") == host.machine.anon * KIB
    assert sizes(ledger, "nvmap")["Web Content (4481)"] == 118_372 * KIB
    assert total(ledger, "nvmap_pool") == host.machine.page_pool * KIB
    assert total(ledger, "zram") == host.machine.zram_cost * KIB
    assert total(ledger, "cma_drivers") == host.machine.cma_drivers * KIB


def test_without_root_the_rest_grows_and_says_why(tmp_path: Path) -> None:
    """No boot log, no addresses, no debugfs, no vmallocinfo, no shares of processes: still no byte is lost."""
    facts, _ = tree_facts("orin-nano-8gb-desktop", tmp_path)
    blind = msgspec.structs.replace(
        facts,
        boot_log=None,
        regions=(),
        cma=(),
        bounce=None,
        nvmap=NvMap(readable=False),
        moment=msgspec.structs.replace(facts.moment, vmalloc=None),
        processes=tuple(msgspec.structs.replace(row, pss_bytes=None, anonymous_bytes=0) for row in facts.processes),
        shared_mapped_bytes=0,
        slabs=(),
    )
    seen, ledger = build_ledger(facts), build_ledger(blind)
    assert sum(term.bytes for term in ledger.terms) + ledger.unexplained_bytes == 8 * GIB
    assert sum(term.bytes for term in ledger.terms if term.layer == "firmware") == 255_360 * KIB
    assert ledger.unexplained_bytes > seen.unexplained_bytes + 700 * MIB
    causes = " ".join(cause.cause for cause in ledger.explanations)
    for reason in ("NvMap: CUDA", "pool of freed pages", "CMA pages", "boot log could not be read"):
        assert reason in causes
    assert sizes(ledger, "anonymous") == {"others": facts.moment.meminfo["AnonPages"]}


def moment(**fields: int) -> Moment:
    memory = {"MemTotal": 1000, "MemFree": 1000, **fields}
    return Moment(
        meminfo={
            name.replace("_anon", "(anon)").replace("_file", "(file)"): size * MIB for name, size in memory.items()
        }
    )


def test_task_stacks_in_vmalloc_count_once() -> None:
    read = moment(MemFree=900, VmallocUsed=100, KernelStack=30)
    assert hidden_bytes(LedgerFacts(physical_bytes=None, moment=read)) == 0
    areas = Vmalloc(total_bytes=100 * MIB, stacks_bytes=32 * MIB, holders=())
    seen = msgspec.structs.replace(read, vmalloc=areas)
    assert hidden_bytes(LedgerFacts(physical_bytes=None, moment=seen)) == 0


def test_swap_cache_counts_where_nobody_has_it_mapped() -> None:
    """Of 50 MiB in the swap cache 40 are mapped, and so in AnonPages already."""
    read = moment(MemFree=890, AnonPages=100, SwapCached=50, Active_anon=110)
    ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read))
    assert total(ledger, "swap_cache") == 10 * MIB
    assert ledger.unexplained_bytes == 0


def test_the_page_cache_is_taken_apart_without_overlap() -> None:
    read = moment(
        MemFree=400, Buffers=50, Cached=550, Shmem=100, Mapped=180, Dirty=20, Active_file=300, Inactive_file=150
    )
    ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read, shared_mapped_bytes=30 * MIB))
    assert total(ledger, "locked_files") == 50 * MIB
    assert total(ledger, "mapped_files") == 150 * MIB
    assert total(ledger, "dirty_files") == 20 * MIB
    assert total(ledger, "clean_files") == 280 * MIB
    assert total(ledger, "shared_memory") == 100 * MIB
    assert ledger.unexplained_bytes == 0


def test_files_in_memory_by_mount() -> None:
    read = moment(MemFree=900, Cached=100, Shmem=100)
    files = (("/dev/shm", 60 * MIB), ("/run", 30 * MIB))
    ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read, files=files, segments_bytes=4 * MIB))
    assert sizes(ledger, "tmpfs") == {"/dev/shm": 60 * MIB, "/run": 30 * MIB}
    assert total(ledger, "shared_segments") == 4 * MIB
    assert total(ledger, "shared_memory") == 6 * MIB


def test_tmpfs_on_swap_is_not_counted_as_memory() -> None:
    read = moment(MemFree=900, Cached=100, Shmem=100)
    ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read, files=(("/tmp", 400 * MIB),)))
    assert sizes(ledger, "tmpfs") == {"/tmp": 100 * MIB}
    assert ledger.unexplained_bytes == 0


def test_free_pages_in_the_lists_of_a_cpu_are_free() -> None:
    zones = Zones(present_bytes=1000 * MIB, managed_bytes=1000 * MIB, page_lists_bytes=100 * MIB)
    read = msgspec.structs.replace(moment(MemFree=900, CmaFree=50), zones=zones)
    ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read))
    free = {term.name: term.bytes // MIB for term in ledger.terms if term.layer == "free"}
    assert free == {"free": 850, "cma_free": 50, "free_per_cpu": 100}


def test_what_a_host_took_back_from_a_virtual_machine() -> None:
    zones = Zones(present_bytes=1200 * MIB, managed_bytes=1000 * MIB, page_lists_bytes=0)
    pages = 100 * MIB // (4 * KIB)
    counters = {"balloon_inflate": 2 * pages, "balloon_deflate": pages, "nr_memmap_boot_pages": pages}
    older = msgspec.structs.replace(moment(), zones=zones, counters=counters)
    newer = msgspec.structs.replace(moment(Balloon=100), zones=zones, counters={"nr_memmap_boot_pages": pages})
    for read in (older, newer):
        ledger = build_ledger(LedgerFacts(physical_bytes=None, moment=read))
        assert total(ledger, "balloon") == 100 * MIB
        assert ledger.unexplained_bytes == 0
        assert hidden_bytes(LedgerFacts(physical_bytes=None, moment=read)) == 0


def test_more_memory_than_the_data_sheet_says_is_believed() -> None:
    zones = Zones(present_bytes=1100 * MIB, managed_bytes=1000 * MIB, page_lists_bytes=0)
    read = msgspec.structs.replace(moment(), zones=zones)
    assert build_ledger(LedgerFacts(physical_bytes=1000 * MIB, moment=read)).physical_bytes == 1100 * MIB


def test_causes_never_exceed_what_they_explain() -> None:
    read = moment(MemFree=990, CmaTotal=500, SwapTotal=900)
    facts = LedgerFacts(physical_bytes=None, moment=read, tegra=True)
    found = explain(facts, boot_rest_bytes=MIB, rest_bytes=10 * MIB)
    assert found
    assert all(cause.high_bytes <= 10 * MIB for cause in found)


_FIELDS = ("Buffers Cached SwapCached Shmem AnonPages Mapped Slab SReclaimable SUnreclaim KReclaimable KernelStack "
           "PageTables VmallocUsed Percpu Hugetlb CmaTotal CmaFree Dirty Unevictable Active(file) Inactive(file) "
           "Active(anon) Inactive(anon) MemFree").split()  # fmt: skip


@given(st.dictionaries(st.sampled_from(_FIELDS), st.integers(0, 10**12)), st.none() | st.integers(0, 10**12))
def test_it_always_sums_whatever_a_kernel_says(fields: dict[str, int], physical: int | None) -> None:
    read = Moment(meminfo={"MemTotal": 10**11, "MemFree": 0, **fields})
    ledger = build_ledger(LedgerFacts(physical_bytes=physical, moment=read, tegra=True))
    assert sum(term.bytes for term in ledger.terms) + ledger.unexplained_bytes == ledger.physical_bytes
    assert all(term.bytes >= 0 for term in ledger.terms)


@pytest.mark.skipif(not Path("/proc/vmallocinfo").exists(), reason="needs Linux")
def test_this_machine_adds_up() -> None:
    facts = read_ledger_facts(HERE, Machine())
    assert facts is not None
    ledger = build_ledger(facts)
    assert sum(term.bytes for term in ledger.terms) + ledger.unexplained_bytes == ledger.physical_bytes
    assert abs(ledger.unexplained_bytes) <= ledger.physical_bytes // 20  # other programs come and go meanwhile


def test_nothing_runs_in_an_image(tmp_path: Path) -> None:
    assert read_ledger_facts(LocalHost(tmp_path), Machine()) is None


def test_terms_know_their_source(tmp_path: Path) -> None:
    facts, _ = tree_facts("orin-nano-8gb-desktop", tmp_path)
    terms: tuple[DramTerm, ...] = build_ledger(facts).terms
    assert all(term.evidence for term in terms)


def ranges(*kept: str) -> Ledger:
    """1 GiB as a booted kernel of Debian shows it to root, with ranges that it keeps."""
    lines = ("40000000-7fffffff : System RAM", "  40210000-4185ffff : Kernel code", *kept)
    memory = {"MemTotal": 950 * MIB, "MemFree": 900 * MIB}
    moment = Moment(meminfo=memory, zones=Zones(present_bytes=GIB, managed_bytes=950 * MIB, page_lists_bytes=0))
    return build_ledger(LedgerFacts(physical_bytes=GIB, moment=moment, regions=parse_iomem("\n".join(lines))))


def test_page_tables_of_all_memory_are_the_range_of_their_size() -> None:
    told = ranges("  7fdcc000-7fdcdfff : reserved", "  7fdfd000-7fffffff : reserved")
    assert total(told, "linear_map_tables") == 0x7FFFFFFF + 1 - 0x7FDFD000
    # mapped by blocks of 2 MiB, or lost among others: then nobody knows
    assert total(ranges("  7fdcc000-7fdcdfff : reserved"), "linear_map_tables") == 0
    two = ranges("  7fbfd000-7fdfffff : reserved", "  7fdfd000-7fffffff : reserved")
    assert total(two, "linear_map_tables") == 0
    # what nobody may map needs none
    told = ranges("  7fdfd000-7fffffff : reserved", "50000000-5fffffff : reserved")
    assert total(told, "linear_map_tables") == 0


def test_ranges_beyond_all_measure_are_no_work() -> None:
    lines = f"0-{(1 << 64) - 2:x} : System RAM\n  1000-1fff : reserved"
    moment = Moment(meminfo={"MemTotal": GIB, "MemFree": GIB})
    build_ledger(LedgerFacts(physical_bytes=2 * GIB, moment=moment, regions=parse_iomem(lines)))
