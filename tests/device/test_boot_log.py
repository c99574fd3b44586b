from pathlib import Path

import pytest
from boot_text import ORIN_NANO
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.boot_log import BootLog, parse_boot_log
from memfit.device.carveouts import boot_configuration, holes, unmapped
from memfit.device.spans import Span, total_bytes
from memfit.units import GIB, KIB, MIB

LOGS = Path(__file__).parents[3] / "shared/data/devices/dmesg"


def real_log(name: str) -> BootLog:
    path = LOGS / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return parse_boot_log(path.read_text(errors="replace"), name)


def test_what_booting_took() -> None:
    log = parse_boot_log(ORIN_NANO, "/var/log/dmesg")
    assert log.linux_bytes == 8133248 * KIB
    assert log.image_bytes == (19328 + 4066 + 10040 + 521) * KIB
    assert log.reserved_bytes == 345240 * KIB
    assert log.cma_bytes == 256 * MIB
    assert log.freed_bytes == (8048 + 7616) * KIB
    assert log.swiotlb_bytes == 64 * MIB
    assert (log.percpu_pages, log.cpus) == (29, 6)
    assert log.dma_pools_bytes == (MIB, MIB, MIB)
    assert log.ftrace_bytes == 236 * 4 * KIB
    assert [(table.name, table.early) for table in log.tables] == [
        ("Dentry cache", True),
        ("Inode", True),
        ("Mount", False),
        ("TCP established", False),
    ]


@pytest.mark.parametrize(
    "prefix",
    ["", "Jul 10 16:36:36 jetson kernel: ", "6,42,17,-;", "<6>", "[Wed Jul  1 10:48:42 2026] "],
    ids=["dmesg", "kern.log", "kmsg", "serial", "dmesg -T"],
)
def test_the_same_whatever_stands_before_a_line(prefix: str) -> None:
    bare = [line.partition("] ")[2] for line in ORIN_NANO.splitlines()]
    text = "\n".join(f"{prefix}{line}" for line in bare)
    assert parse_boot_log(text) == parse_boot_log(ORIN_NANO)


def test_lines_in_between_do_not_matter() -> None:
    noisy = "\n".join(f"{line}\nsystemd[1]: node started: [mem]\n\x00garbage" for line in ORIN_NANO.splitlines())
    assert parse_boot_log(noisy) == parse_boot_log(ORIN_NANO)


def test_only_the_last_of_several_boots_counts() -> None:
    other = ORIN_NANO.replace("7616K init", "1K init").replace("initrd memory: 8048K", "initrd memory: 1K")
    assert parse_boot_log(other + ORIN_NANO) == parse_boot_log(ORIN_NANO)


def test_vmalloc_tables_are_told_apart() -> None:
    text = "futex hash table entries: 2048 (order: 5, 131072 bytes, vmalloc)\n"
    assert parse_boot_log(text).tables[0].vmalloc


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("crashkernel reserved: 0x00000000ca000000 - 0x00000000ea000000 (512 MB)", 512 * MIB),
        ("Reserving 256MB of memory at 640MB for crashkernel (System RAM: 8191MB)", 256 * MIB),
    ],
)
def test_crash_kernels_of_both_wordings(line: str, size: int) -> None:
    assert parse_boot_log(f"[    0.0] {line}").crash_bytes == size


def test_reserved_nodes_with_addresses() -> None:
    text = (
        "OF: reserved mem: 0x000000024a000000..0x0000000259ffffff (262144 KiB) map reusable linux,cma\n"
        "OF: reserved mem: 0x0000000400000000..0x00000004367fffff (892928 KiB) nomap non-reusable vpr-carveout\n"
    )
    cma, vpr = parse_boot_log(text).nodes
    assert (cma.name, cma.reusable, cma.span.bytes) == ("linux,cma", True, 256 * MIB)
    assert (vpr.name, vpr.reusable, vpr.span.bytes) == ("vpr-carveout", False, 872 * MIB)


@given(st.text(max_size=400) | st.lists(st.sampled_from(ORIN_NANO.splitlines())).map("\n".join))
def test_no_text_breaks_the_parser(text: str) -> None:
    log = parse_boot_log(text)
    assert all(span.bytes >= 0 for span in log.ranges)


def test_carveouts_of_a_real_orin_nano_lie_in_four_holes() -> None:
    log = real_log("orin-nano-super-8gb_r36.4.4_oe4t_boot.txt")
    found = holes(8 * GIB, log.ranges)
    assert found is not None
    assert [hole.bytes / MIB for hole in found] == [64, 9.375, 48, 128]
    assert total_bytes(found) == 8 * GIB - (log.linux_bytes or 0)
    configured = sum(entry.bytes for entry in boot_configuration(("nvidia,p3768-0000+p3767-0005-super",), "36.4.4"))
    assert abs(configured - total_bytes(found)) <= 3 * MIB


def test_memtotal_follows_from_a_real_boot_log() -> None:
    log = real_log("orin-nano-super-8gb_r36.4.4_oe4t_boot.txt")
    assert log.available_bytes is not None
    total = log.available_bytes + log.cma_bytes + log.freed_bytes
    assert abs(total - 7802736 * KIB) < 2 * MIB  # of the same board with R36.4


def test_the_gpu_of_a_real_agx_orin_found_no_contiguous_memory() -> None:
    log = real_log("agx-orin_r36.3_nvgpu-cma-alloc-failure.txt")
    assert log.cma_failure_bytes == 257_490_944


def test_the_page_pool_of_a_real_xavier() -> None:
    assert real_log("xavier-8gb_nvmap-page-pool_excerpt.txt").nvmap_pool_limit_bytes == 244081 * 4 * KIB


def test_agx_orin_by_its_boot_configuration() -> None:
    """1,298.6 MiB measured on an AGX Orin 32GB with R36.4."""
    configured = sum(entry.bytes for entry in boot_configuration(("nvidia,p3737-0000+p3701-0004",), "36.4.0"))
    assert abs(configured - 1_329_728 * KIB) <= 3 * MIB


def test_no_configuration_is_made_up() -> None:
    assert boot_configuration(("nvidia,p3768-0000+p3767-0005",), "39.2.0") == ()
    assert boot_configuration(("nvidia,p3768-0000+p3767-0005",), None) == ()
    assert boot_configuration(("raspberrypi,5-model-b",), "36.4.0") == ()


def test_the_headless_recipe_is_101_mib() -> None:
    entries = boot_configuration(("nvidia,p3767-0000",), "36.2.0")
    assert sum(entry.bytes for entry in entries if entry.use in ("display", "camera")) == 101 * MIB


def test_ranges_that_are_of_another_machine_make_no_holes() -> None:
    assert holes(8 * GIB, (Span(0, 4 * GIB),)) is None
    assert holes(4 * GIB, (Span(2 * GIB, 8 * GIB),)) is None
    assert holes(8 * GIB, ()) is None


def test_touching_ranges_alternate_between_mapped_and_not() -> None:
    log = parse_boot_log(ORIN_NANO)
    assert [str(span) for span in unmapped(log.ranges)] == ["0xfffe0000-0xffffffff", "0x26b8f0000-0x26d82ffff"]


def test_every_line_that_counts_has_one_of_the_words_that_are_looked_for() -> None:
    """Lines without them are skipped before any pattern is tried."""
    for line in ORIN_NANO.splitlines():
        assert parse_boot_log(line) == parse_boot_log(f"{line}\n{'noise ' * 9}")
