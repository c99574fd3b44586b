"""Whatever a kernel says, its parsers do not crash and a ledger sums."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boot_text import ORIN_NANO
from test_fuzz_facts import SEED, mutated
from test_kernel_memory import IOMEM, VMALLOC, ZONEINFO, memory_device
from trees import TreeHost, names, write_tree

from memfit.device.audit import audit
from memfit.device.boot_log import parse_boot_log
from memfit.device.control_groups import find_owner
from memfit.device.facts.reserved_memory import parse_reg
from memfit.device.kernel_memory import (
    crash_kernel,
    kernel_image,
    parse_counters,
    parse_iomem,
    parse_memory_devices,
    parse_shared_segments,
    parse_slabs,
    parse_socket_pages,
    parse_vmalloc,
    parse_zones,
    system_ram,
)
from memfit.device.meminfo import parse_meminfo
from memfit.device.process_table import parse_rollup, parse_stat
from memfit.errors import ProbeError


def _iomem(text: str) -> None:
    regions = parse_iomem(text)
    system_ram(regions), kernel_image(regions), crash_kernel(regions)


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


BLANKS = (" ", "\n", "0", "a", "/", "[", "(", " pages=", "node 0: [mem 0x", "Memory: 1K/", "hash table entries", "\\x")
PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "boot log": (parse_boot_log, ORIN_NANO),
    "zoneinfo": (parse_zones, ZONEINFO),
    "vmallocinfo": (parse_vmalloc, VMALLOC),
    "iomem": (_iomem, IOMEM),
    "slabinfo": (parse_slabs, "dentry  21000 21420 192 21 1 : tunables 0 0 0 : slabdata 1020 1020 0\n"),
    "vmstat": (parse_counters, "nr_free_pages 1236686\nnr_zspages 0\n"),
    "sockstat": (parse_socket_pages, "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 163\n"),
    "sysvipc": (parse_shared_segments, "key shmid perms size rss swap\n0 1 600 4194304 4194304 0\n"),
    "stat": (parse_stat, "7 (a) b (c) S 1 7 7 0 -1 4194560 " + "0 " * 7 + "20 0 1 0 4200 9 25 " + "0 " * 20),
    "cgroup": (find_owner, f"12:memory:/docker/{'ab' * 32}\n0::/system.slice/a\\x2db.service (deleted)\n"),
    "smaps_rollup": (parse_rollup, "55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss: 100 kB\nPss: 60 kB\n"),
    "smbios": (
        lambda text: parse_memory_devices(text.encode("latin-1", "replace")),
        memory_device(8).decode("latin-1"),
    ),
    "reg": (lambda text: parse_reg(_bytes(text)), "\0\0\0\0\x80\0\0\0\0\0\0\0\x7e\xe0\0\0"),
}


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_text(name: str) -> None:
    chance = random.Random(SEED)
    parse, sample = PARSERS[name]
    for _ in range(200):
        parse(mutated(sample, chance))


@pytest.mark.parametrize("blank", BLANKS)
def test_no_parser_takes_long_over_much_of_the_same(blank: str) -> None:
    text = blank * ((1 << 18) // len(blank))
    for parse, sample in PARSERS.values():
        parse(text)
        parse(sample + text)


def test_an_audit_of_damaged_files_sums_or_says_why(tmp_path: Path) -> None:
    host = write_tree("orin-nano-8gb-desktop", tmp_path)
    chance = random.Random(SEED)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    for path in chance.sample(files, 25):
        before = path.read_bytes()
        path.write_bytes(mutated(before.decode("latin-1"), chance).encode("utf-8", "surrogateescape"))
        check(host)
        path.write_bytes(before)


def check(host: TreeHost) -> None:
    """Without MemTotal or MemFree there is nothing to add up; every other damage leaves a ledger that sums."""
    try:
        found = audit(host)
    except ProbeError:
        left = parse_meminfo(host.read_bytes("/proc/meminfo").decode("utf-8", "replace"))
        assert not left.keys() >= {"MemTotal", "MemFree"}
        return
    assert sum(term.bytes for term in found.terms) + (found.unexplained_bytes or 0) == found.physical_bytes
    assert all(term.bytes >= 0 for term in found.terms)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_soak_a_parser(name: str) -> None:
    """10^5 damaged texts each."""
    chance = random.Random(SEED + 5)
    parse, sample = PARSERS[name]
    for _ in range(100_000):
        parse(mutated(sample, chance))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_soak_audits_of_damaged_files(name: str, tmp_path: Path) -> None:
    host = write_tree(name, tmp_path)
    chance = random.Random(SEED + 6)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    for _ in range(1_000):
        path = chance.choice(files)
        before = path.read_bytes()
        path.write_bytes(mutated(before.decode("latin-1"), chance).encode("utf-8", "surrogateescape"))
        check(host)
        path.write_bytes(before)
