"""The processes of a run, as they come and go: real ones, which hold what they are told to hold."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memfit.host import LocalHost
from memfit.measure._tree import Tree
from memfit.units import MIB

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")

# takes and gives back memory by line: "hold 8", "drop", "child", "end"
SCRIPT = """
import subprocess, sys
held, children = [], []
for line in sys.stdin:
    words = line.split()
    if words[0] == "hold": held.append(bytearray(b"x") * (int(words[1]) << 20))
    elif words[0] == "drop": held.clear()
    elif words[0] == "child": children.append(subprocess.Popen([sys.executable, "-c", words[1].replace("_", " ")]))
    elif words[0] == "reap": children.pop().wait()
    elif words[0] == "end": break
    print("done", flush=True)
"""
Order = Callable[[str], None]


@pytest.fixture
def worker() -> Iterator[tuple[int, Order]]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        stdin, stdout = one.stdin, one.stdout

        def order(line: str) -> None:
            stdin.write(line + "\n")
            stdin.flush()
            stdout.readline()

        yield one.pid, order
        one.kill()


def test_memory_is_followed_up_and_down(worker: tuple[int, Order]) -> None:
    pid, order = worker
    tree = Tree(pid, LocalHost())
    order("hold 1")
    before = tree.read()
    order("hold 24")
    held = tree.read()
    order("drop")
    after = tree.read()
    assert held.anonymous_bytes - before.anonymous_bytes >= 23 * MIB
    assert held.resident_bytes - after.resident_bytes >= 23 * MIB
    assert tree.peak_resident_bytes >= held.resident_bytes
    tree.close()


def test_a_peak_between_two_looks_is_seen_all_the_same(worker: tuple[int, Order]) -> None:
    pid, order = worker
    tree = Tree(pid, LocalHost())
    low = tree.read().resident_bytes
    order("hold 32")
    order("drop")
    assert tree.read().resident_bytes < low + 16 * MIB
    tree.scan()  # the kernel keeps the highest, VmHWM
    assert tree.peak_resident_bytes >= low + 31 * MIB
    tree.close()


def test_children_are_members_until_they_end(worker: tuple[int, Order]) -> None:
    pid, order = worker
    tree = Tree(pid, LocalHost())
    assert tree.scan() == (pid,)
    order("child import_sys;sys.stdin.read()")
    members = tree.scan()
    assert len(members) == 2
    assert members[0] == pid
    order("child pass")
    order("reap")
    assert tree.scan() == members  # it lived between two looks
    tree.close()


def test_a_tree_whose_root_has_ended_is_empty_and_takes_no_stranger_in() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as one:
        tree = Tree(one.pid, LocalHost())
        tree.scan()
        one.wait()
    assert tree.read().resident_bytes == 0
    assert tree.pids == ()
    tree._next_scan_s = 0.0
    tree.root_pid = 1  # whatever has the number now
    assert tree.scan() == ()
    assert tree.peak_resident_bytes > 0  # what it was is remembered
    tree.close()


def test_a_process_that_never_was(tmp_path: Path) -> None:
    tree = Tree(7, LocalHost(tmp_path))
    assert tree.read().resident_bytes == 0
    assert (tree.peak_resident_bytes, tree.major_faults) == (0, 0)
    tree.close()


def test_an_orphan_stays_a_member() -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", "sleep 60 & echo $!; read stop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None
        orphan = int(shell.stdout.readline())
        tree = Tree(shell.pid, LocalHost())
        assert set(tree.scan()) == {shell.pid, orphan}
        shell.kill()
        shell.wait()
        assert tree.scan() == (orphan,)
        subprocess.run(["kill", "-9", str(orphan)], check=True)
    deadline = time.monotonic() + 10
    while tree.read().resident_bytes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tree.read().resident_bytes == 0
    tree.close()


def test_ended_processes_leave_their_faults_behind(tmp_path: Path) -> None:
    folder = tmp_path / "proc/7"
    (folder / "task/7").mkdir(parents=True)
    (folder / "task/7/children").write_text("")
    (folder / "statm").write_text("10 5 1 0 0 0 0")
    (folder / "status").write_text("VmHWM:\t 900 kB\n")
    (folder / "stat").write_text("7 (a b) S 1 7 7 0 -1 0 100 0 42 0 1 1 0 0 20 0 1 0 5 0 5 0")
    tree = Tree(7, LocalHost(tmp_path))
    tree.scan()
    assert tree.major_faults == 42
    (folder / "statm").unlink()
    assert tree.read().resident_bytes == 0
    assert tree.major_faults == 42
    assert tree.peak_resident_bytes == 900 * 1024
