"""A process tree on files made up here, and on this very process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.process import read_process
from memfit.device.process_tree import (
    PageCounts,
    parse_faults,
    parse_smaps,
    parse_statm,
    process_tree,
    read_faults,
    read_peak_bytes,
    read_smaps,
    read_start_ticks,
    read_tree,
    split_smaps,
    stat_fields,
)
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import LocalHost
from memfit.units import KIB, MIB

linux = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc with smaps_rollup here")

# a name may hold what it likes: it ends at the last bracket
STAT = "7 (a) S (b) R 3 7 7 0 -1 4194304 1500 0 12 0 5 6 0 0 20 0 1 0 {started} 1000 25 0 0"
SMAPS = """55a0-55b0 r-xp 00000000 08:01 11 /usr/bin/llama-server
Size:                 64 kB
Pss:                  40 kB
Anonymous:             0 kB
VmFlags: rd ex mr
7f00-7f10 rw-p 00000000 00:00 0
Pss:                 100 kB
Anonymous:           100 kB
Swap:                  8 kB
"""


def process(root: Path, pid: int, *, parent: int = 1, children: str | None = None, **files: str) -> None:
    folder = root / "proc" / str(pid)
    task = folder / "task" / str(pid)
    task.mkdir(parents=True)
    if children is not None:
        (task / "children").write_text(children)
    (folder / "stat").write_text(STAT.format(started=100 + pid).replace(" R 3 ", f" R {parent} "))
    for name, text in files.items():
        (folder / name).write_text(text)


def rollup(pss: int, anonymous: int, file: int, shmem: int = 0) -> str:
    return (
        f"0-7 ---p 0 [rollup]\nPss: {pss} kB\nPss_Anon: {anonymous} kB\nPss_File: {file} kB\nPss_Shmem: {shmem} kB\n"
        f"Anonymous: {2 * anonymous} kB\nSwapPss: 4 kB\n"
    )


def test_descendants_by_the_children_of_every_thread(tmp_path: Path) -> None:
    process(tmp_path, 7, children="8 9 ")
    process(tmp_path, 8, parent=7, children="")
    process(tmp_path, 9, parent=7, children="10 ")
    process(tmp_path, 10, parent=9, children="")
    (tmp_path / "proc/7/task/71").mkdir()
    (tmp_path / "proc/7/task/71/children").write_text("11 ")  # a child that another thread has started
    process(tmp_path, 11, parent=7, children="")
    process(tmp_path, 12, parent=1, children="")
    assert process_tree(7, LocalHost(tmp_path)) == (7, 8, 9, 11, 10)


def test_descendants_by_their_parents_where_the_kernel_lists_no_children(tmp_path: Path) -> None:
    for pid, parent in ((7, 1), (8, 7), (9, 8), (12, 1)):
        process(tmp_path, pid, parent=parent)
    (tmp_path / "proc/uptime").write_text("1 1")
    assert process_tree(7, LocalHost(tmp_path)) == (7, 8, 9)


def test_a_circle_of_reused_pids_ends(tmp_path: Path) -> None:
    process(tmp_path, 7, children="8 ")
    process(tmp_path, 8, children="7 8 ")
    assert process_tree(7, LocalHost(tmp_path)) == (7, 8)


def test_a_process_that_is_gone_has_no_tree(tmp_path: Path) -> None:
    host = LocalHost(tmp_path)
    assert process_tree(7, host) == ()
    process(tmp_path, 7, children="8 ")  # and 8 has ended since
    assert process_tree(7, host) == (7, 8)
    assert read_tree((7, 8), host).pids == ()
    assert read_start_ticks(8, host) is None
    assert read_faults(8, host) is None
    assert read_peak_bytes(8, host) is None


def test_a_tree_adds_up_by_shares(tmp_path: Path) -> None:
    process(tmp_path, 7, smaps_rollup=rollup(100, 60, 30, 10), status="VmHWM: 120 kB\n")
    process(tmp_path, 8, smaps_rollup=rollup(50, 20, 30), status="VmHWM: 500 kB\n")
    tree = read_tree((7, 8, 9), LocalHost(tmp_path))
    assert tree.pids == (7, 8)
    assert (tree.pss_bytes, tree.anonymous_bytes, tree.file_bytes) == (150 * KIB, 80 * KIB, 60 * KIB)
    assert (tree.shared_bytes, tree.swapped_bytes, tree.peak_bytes) == (10 * KIB, 8 * KIB, 500 * KIB)


def test_a_process_of_someone_else_is_named_and_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process(tmp_path, 7, smaps_rollup=rollup(100, 60, 40), status="")
    process(tmp_path, 8, smaps_rollup=rollup(100, 60, 40), status="")

    class Guarded(LocalHost):
        def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
            if path.startswith("/proc/8/smaps"):
                raise NeedsRoot(path)
            return super().read_bytes(path, most=most)

    tree = read_tree((7, 8), Guarded(tmp_path))
    assert (tree.pids, tree.unread, tree.pss_bytes) == ((7,), (8,), 100 * KIB)


def test_a_kernel_without_the_sums_has_them_added_up(tmp_path: Path) -> None:
    process(tmp_path, 7, smaps=SMAPS, cmdline="llama-server\0", status="VmHWM: 150 kB\n")
    host = LocalHost(tmp_path)
    assert read_smaps(7, host) == {"Size": 64 * KIB, "Pss": 140 * KIB, "Anonymous": 100 * KIB, "Swap": 8 * KIB}
    assert read_tree((7,), host).file_bytes == 40 * KIB
    assert read_process(7, host).pss_bytes == 140 * KIB
    with pytest.raises(ProbeError):
        read_smaps(8, host)


def test_shares_of_an_old_kernel_never_exceed_the_whole() -> None:
    # Anonymous counts pages whole that a fork shares, so it can be more than the share of everything
    assert split_smaps({"Pss": 100, "Anonymous": 180}) == (100, 0, 0)
    assert split_smaps({"Pss": 100, "Pss_Anon": 60, "Pss_File": 30, "Pss_Shmem": 10}) == (60, 30, 10)
    assert split_smaps({}) == (0, 0, 0)


def test_fields_after_a_name_full_of_brackets() -> None:
    fields = stat_fields(STAT.format(started=4242))
    assert fields[:2] == ["R", "3"]
    assert parse_faults(fields) == (1500, 12)


def test_a_process_is_named_by_when_it_started(tmp_path: Path) -> None:
    process(tmp_path, 7)
    assert read_start_ticks(7, LocalHost(tmp_path)) == 107


@linux
def test_a_process_that_has_ended_is_named_no_more_though_its_parent_has_not_asked() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert read_start_ticks(child.pid) is not None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        child.stdout.read()  # its end is the process's, and it is not waited for
        deadline = time.monotonic() + 10
        while read_start_ticks(child.pid) is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert Path(f"/proc/{child.pid}/stat").exists()
        assert read_start_ticks(child.pid) is None


def test_statm_is_in_pages() -> None:
    assert parse_statm(b"765 410 382 5 0 123 0\n", 4096) == PageCounts(410 * 4096, 382 * 4096)
    assert parse_statm("765 410 382", 16384) == PageCounts(410 * 16384, 382 * 16384)
    assert PageCounts(100, 30).anonymous_bytes == 70
    assert PageCounts(100, 130).anonymous_bytes == 0  # the two are counted apart, and in batches
    assert parse_statm(b"", 4096) is None
    assert parse_statm(b"0 x 0", 4096) is None


@given(st.text(max_size=400))
def test_wild_text_is_no_reason_to_fail(text: str) -> None:
    parse_statm(text, 4096)
    parse_faults(stat_fields(text))
    assert all(size >= 0 for size in parse_smaps(text).values())


@linux
def test_this_process_and_a_child_of_it() -> None:
    hold = "held = bytearray(8 * 1024**2); print(len(held), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        tree = process_tree(os.getpid())
        assert tree[0] == os.getpid()
        assert child.pid in tree
        alone = read_tree((child.pid,))
        assert 8 * MIB < alone.anonymous_bytes <= alone.pss_bytes <= alone.peak_bytes
        assert read_tree(tree).pss_bytes > alone.pss_bytes
        started = read_start_ticks(child.pid)
        assert started is not None
        assert started >= (read_start_ticks(os.getpid()) or 0)
        child.communicate("\n")
    assert read_tree((child.pid,)).pids == ()
