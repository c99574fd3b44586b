"""The written trees add up, or nothing that is tested on them means anything."""

from pathlib import Path

import pytest
from trees import machine, names, write_tree

from memfit.device.clocks import read_clocks
from memfit.device.meminfo import read_meminfo
from memfit.device.nvmap import read_clients, read_free_bytes, read_nvmap, read_pool_bytes
from memfit.device.rails import read_rails
from memfit.device.thermal import read_fans, read_zones
from memfit.units import KIB, MIB

# tegrastats' "RAM used/total" in MB of the logs that the trees follow
LOGGED = {
    "orin-nano-8gb-desktop": (1276, 7619),
    "orin-nano-8gb-headless": (519, 7607),
    "orin-nx-16gb": (3386, 15_656),
    "agx-orin-64gb": (5137, 62_841),
    "thor-t5000": (42_435, 125_772),
}


@pytest.mark.parametrize("name", names())
def test_a_tree_adds_up_to_memtotal(name: str, tmp_path: Path) -> None:
    host = write_tree(name, tmp_path)
    memory = read_meminfo(host)
    used = memory["MemTotal"] - memory["MemFree"] - memory["Buffers"] - memory["Cached"]
    assert (used // MIB, memory["MemTotal"] // MIB) == LOGGED[name]
    shown = machine(name)
    assert memory["MemTotal"] == shown.total * KIB
    assert 0 <= shown.page_pool <= shown.pool_limit
    assert shown.rest == shown.page_pool + shown.hidden + shown.gpu
    assert memory["CmaFree"] + shown.cma_drivers * KIB <= memory["CmaTotal"]
    assert memory["MemFree"] < memory["MemAvailable"] < memory["MemTotal"]


@pytest.mark.parametrize("name", names())
def test_its_processes_are_what_meminfo_counts(name: str, tmp_path: Path) -> None:
    write_tree(name, tmp_path)
    sums: dict[str, int] = {}
    for path in tmp_path.glob("proc/[0-9]*/smaps_rollup"):
        for line in path.read_text().splitlines()[1:]:
            field, size = line.split()[:2]
            sums[field.rstrip(":")] = sums.get(field.rstrip(":"), 0) + int(size)
    shown = machine(name)
    assert sums["Pss_Anon"] == shown.anon
    assert sums["Pss_File"] + sums["Pss_Shmem"] == shown.mapped
    assert sums["SwapPss"] == shown.swap_used


@pytest.mark.parametrize("name", names())
def test_every_reader_finds_its_files(name: str, tmp_path: Path) -> None:
    host = write_tree(name, tmp_path)
    nvmap = read_nvmap(host)
    assert nvmap is not None
    assert nvmap.clients == read_clients(host) != ()
    assert sum(client.bytes for client in nvmap.clients) == nvmap.total_bytes
    assert read_free_bytes(host) == (machine(name).available - machine(name).cma_free) * KIB
    assert read_pool_bytes(host) == (None if name.startswith("thor") else machine(name).page_pool * KIB)
    assert {clock.name for clock in read_clocks(host)} >= {"cpu0", "gpu", "emc"}
    assert len(read_rails(host)) == 3
    assert len(read_zones(host)) == len(machine(name).zones)
    assert {fan.name for fan in read_fans(host)} == {"pwmfan", "pwm_tach"}
