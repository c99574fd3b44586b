"""What is available, read so that the gain of a small service can be told from noise."""

from __future__ import annotations

import mmap
import os

import pytest

from memfit.agent import machine
from memfit.agent.failure import Failure
from memfit.agent.machine import AVAILABLE, Machine
from memfit.apply.records import receipt_of

ZONES = """\
Node 0, zone      DMA
  pages free     99
  pagesets
    cpu: 0
              count: 100
              high:  900
    cpu: 1
              count: 11
"""
MIB = 1 << 20


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {
        "/proc/meminfo": "MemTotal: 8192 kB\nMemAvailable: 4096 kB\n",
        "/proc/zoneinfo": ZONES,
        "/proc/self/statm": "900 500 200 1 0 300 0",
    }

    def read(path: str) -> str:
        if path not in found:
            raise Failure("refused", path)
        return found[path]

    monkeypatch.setattr(machine, "_read", read)
    monkeypatch.setattr(machine, "_SETTLE_S", 0.0)
    return found


def test_free_pages_that_wait_and_the_agent_itself_are_told(files: dict[str, str]) -> None:
    memory = Machine().memory()
    assert memory["MemAvailable"] == 4 * MIB
    assert memory["PerCpuLists"] == 111 * mmap.PAGESIZE
    assert memory["Agent"] == 300 * mmap.PAGESIZE


def test_what_was_left_beside_it_is_the_agent_as_well(files: dict[str, str]) -> None:
    """Two processes that share their memory write to it: each page is there twice then, and is counted twice."""
    files[f"/proc/{os.getpid()}/smaps_rollup"] = "Rss: 900 kB\nPss: 700 kB\nPss_Anon: 600 kB\n"
    files["/proc/12345/smaps_rollup"] = "Rss: 500 kB\nPss_Anon: 150 kB\n"
    there = Machine()
    assert there.memory()["Agent"] == 600 << 10
    there.beside = (12345, 999)
    assert there.memory()["Agent"] == 750 << 10


def test_of_this_machine() -> None:
    memory = Machine().memory()
    assert memory["PerCpuLists"] >= 0
    assert MIB < memory["Agent"] < memory["MemTotal"]


def test_what_waits_in_lists_is_no_loss() -> None:
    before = {"MemAvailable": 100 * MIB, "PerCpuLists": 2 * MIB, "Agent": 10 * MIB}
    after = {"MemAvailable": 94 * MIB, "PerCpuLists": 7 * MIB, "Agent": 12 * MIB}
    told = {"id": "0001-aaaa", "state": "applied", "steps": [], "measured": {"before": before, "after": after}}
    assert receipt_of(told, "board").measured_bytes == MIB
    # what an agent of an earlier version noted had MemAvailable alone
    told["measured"] = {"before": {"MemAvailable": MIB}, "after": {"MemAvailable": 3 * MIB}}
    assert receipt_of(told, "board").measured_bytes == 2 * MIB
    assert AVAILABLE[0] == "MemAvailable"
