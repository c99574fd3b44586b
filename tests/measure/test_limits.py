"""Fences around a run: on written trees of control groups, on recorded commands, and with the kernel's own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from memfit.errors import UnknownName, UsageError
from memfit.measure.limits import MECHANISMS, Fence, Ground, TooSmall, open_fence, refuse_too_small, systemd_scope
from memfit.measure.limits._fence import _NAME, fresh_name, remove_stale
from memfit.measure.limits._group import Group
from memfit.units import KIB, MIB

LIMIT = 64 * MIB


class Commands:
    """Stands for ``subprocess.run``: keeps what was to be run, and answers as told."""

    def __init__(self, code: int = 0, out: str = "", error: str = "") -> None:
        self.ran: list[list[str]] = []
        self._answer = code, out, error

    def __call__(self, words: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.ran.append(list(words))
        code, out, error = self._answer
        return subprocess.CompletedProcess(list(words), code, out, error)


def tree(root: Path, *, version: int, own: str, swap_kb: int = 0, available_kb: int = 8 << 20) -> Path:
    """A ``/proc`` with one hierarchy mounted at ``root/cgroup`` and memfit in the group ``own``."""
    proc, mount = root / "proc", root / "cgroup"
    (proc / "self").mkdir(parents=True)
    mount.mkdir()
    if version == 2:
        lines = f"30 24 0:26 / {mount} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
        (proc / "self" / "cgroup").write_text(f"0::{own}\n")
    else:
        lines = f"33 32 0:29 / {mount} rw,relatime - cgroup cgroup rw,memory\n"
        (proc / "self" / "cgroup").write_text(f"12:cpu,cpuacct:/\n4:memory:{own}\n0::/\n")
    (proc / "self" / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + lines)
    (proc / "meminfo").write_text(f"MemTotal: 8000000 kB\nMemAvailable: {available_kb} kB\nSwapTotal: {swap_kb} kB\n")
    folder = mount / own.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def hand_on(mount: Path, *folders: Path) -> None:
    for folder in (mount, *folders):
        (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")


@pytest.fixture
def kernel_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A written folder gets no files of the kernel: make those that a new group has, and let ``rmdir`` take them."""
    make, remove = Path.mkdir, Path.rmdir

    def mkdir(self: Path, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        if self.name.startswith("memfit-"):
            names = ("memory.max", "memory.swap.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
            for name in (*names, "cgroup.procs", "memory.oom.group"):
                (self / name).write_text("")

    def rmdir(self: Path) -> None:
        if self.name.startswith("memfit-"):
            for file in self.iterdir():
                file.unlink()
        remove(self)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", rmdir)


@pytest.mark.usefixtures("kernel_files")
class TestVersion2:
    def open(self, root: Path, **named: Any) -> tuple[Fence, Commands, Path]:
        folder = tree(root, version=2, own="/user.slice/app.slice/term.scope", **named)
        hand_on(root / "cgroup", folder.parent.parent, folder.parent)
        commands = Commands()
        return open_fence(LIMIT, mechanism="cgroup_v2", ground=Ground(root / "proc", commands)), commands, folder

    def test_a_group_beside_memfits_own_with_limit_and_without_swap(self, tmp_path: Path) -> None:
        fence, _, folder = self.open(tmp_path)
        assert fence.limit.mechanism == "cgroup_v2"
        assert fence.limit.note == ""
        assert fence.group is not None
        made = fence.group.folder
        # memfit's own group holds processes, and such a group can hand nothing on
        assert made.parent == folder.parent
        assert made.name.startswith(f"memfit-{os.getpid()}-")
        assert (made / "memory.max").read_text() == str(LIMIT)
        assert (made / "memory.swap.max").read_text() == "0"
        assert (made / "memory.oom.group").read_text() == "1"
        assert fence.close() == ""
        assert not made.exists()

    def test_the_program_enters_before_it_is_executed(self, tmp_path: Path) -> None:
        fence, commands, _ = self.open(tmp_path)
        assert fence.group is not None
        assert commands.ran == [[*fence.prefix, "true"]]
        # a written tree is entered like a real one: by the shell, which then becomes the program
        done = subprocess.run([*fence.prefix, "sh", "-c", "echo here"], capture_output=True, text=True, check=True)
        assert done.stdout == "here\n"
        assert (fence.group.folder / "cgroup.procs").read_text() == "0\n"

    def test_nothing_that_is_there_already_is_changed(self, tmp_path: Path) -> None:
        folder = tree(tmp_path, version=2, own="/docker/abc")
        (tmp_path / "cgroup" / "cgroup.subtree_control").write_text("cpu\n")
        before = {path: path.read_bytes() for path in (tmp_path / "cgroup").rglob("*") if path.is_file()}
        fence = open_fence(LIMIT, mechanism="cgroup_v2", ground=Ground(tmp_path / "proc", Commands()))
        assert fence.limit.mechanism == "none"
        assert "hands its memory controller on" in fence.limit.note
        assert before == {path: path.read_bytes() for path in (tmp_path / "cgroup").rglob("*") if path.is_file()}
        assert list(folder.iterdir()) == []

    def test_who_is_not_let_in_watches_only_and_leaves_nothing(self, tmp_path: Path) -> None:
        folder = tree(tmp_path, version=2, own="/user.slice/s.scope")
        hand_on(tmp_path / "cgroup", folder.parent)
        commands = Commands(125, error="sh: 1: cannot create cgroup.procs: Permission denied\n")
        fence = open_fence(LIMIT, mechanism="cgroup_v2", ground=Ground(tmp_path / "proc", commands))
        assert (fence.limit.mechanism, fence.limit.limit_bytes) == ("none", LIMIT)
        assert "only watched" in fence.limit.note
        assert "Permission denied" in fence.limit.note
        assert not list((tmp_path / "cgroup").rglob("memfit-*"))

    def test_a_smaller_limit_above_and_too_little_memory_are_said(self, tmp_path: Path) -> None:
        folder = tree(tmp_path, version=2, own="/a/b", available_kb=32 * 1024)
        hand_on(tmp_path / "cgroup", folder.parent)
        (folder.parent / "memory.max").write_text(str(48 * MIB))
        fence = open_fence(LIMIT, mechanism="cgroup_v2", ground=Ground(tmp_path / "proc", Commands()))
        assert "allows only 48.0 MiB" in fence.limit.note
        assert "only 32.0 MiB are available" in fence.limit.note
        fence.close()

    def test_without_a_limit_it_only_counts(self, tmp_path: Path) -> None:
        folder = tree(tmp_path, version=2, own="/a/b")
        hand_on(tmp_path / "cgroup", folder.parent)
        fence = open_fence(None, mechanism="cgroup_v2", ground=Ground(tmp_path / "proc", Commands()))
        assert fence.limit.limit_bytes is None
        assert fence.group is not None
        assert (fence.group.folder / "memory.max").read_text() == ""
        fence.close()


@pytest.mark.usefixtures("kernel_files")
class TestVersion1:
    def test_memory_is_limited_and_swap_a_page_above(self, tmp_path: Path) -> None:
        folder = tree(tmp_path, version=1, own="/jobs/one", swap_kb=1024)
        fence = open_fence(LIMIT, ground=Ground(tmp_path / "proc", Commands()))
        assert fence.limit.mechanism == "cgroup_v1"
        assert fence.limit.note == ""
        assert fence.group is not None
        made = fence.group.folder
        assert made.parent == folder
        assert (made / "memory.limit_in_bytes").read_text() == str(LIMIT)
        # hit first, it would hide how often the other is hit: newer kernels count the failures of memory alone
        assert int((made / "memory.memsw.limit_in_bytes").read_text()) == LIMIT + os.sysconf("SC_PAGE_SIZE")
        fence.close()

    def test_swap_that_is_not_accounted_may_hide_the_peak_and_that_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree(tmp_path, version=1, own="/jobs", swap_kb=2 << 20)
        monkeypatch.setattr(Group, "has", lambda _self, name: name != "memory.memsw.limit_in_bytes")
        fence = open_fence(LIMIT, mechanism="cgroup_v1", ground=Ground(tmp_path / "proc", Commands()))
        assert "2048.0 MiB of swap may hide the peak" in fence.limit.note
        assert fence.group is not None
        assert (fence.group.folder / "memory.swappiness").read_text() == "0"
        monkeypatch.undo()


def group_of(fence: Fence) -> Path | None:
    return None if fence.group is None else fence.group.folder


class TestSystemd:
    UNIFIED = "/user.slice/user-1000.slice/session-2.scope"

    def ground(self, root: Path, commands: Commands) -> Ground:
        tree(root, version=2, own=self.UNIFIED)
        return Ground(root / "proc", commands, root=False)

    def test_a_scope_of_the_users_own_when_a_trial_shows_that_it_is_limited(self, tmp_path: Path) -> None:
        commands = Commands(out="67108864\n")
        ground = self.ground(tmp_path, commands)
        fence = open_fence(7 * MIB, mechanism="systemd_scope", ground=ground)
        assert fence.limit.mechanism == "systemd_scope"
        words = list(fence.prefix)
        assert words[:4] == ["systemd-run", "--user", "--scope", "--quiet"]
        assert f"MemoryMax={7 * MIB}" in words
        assert "MemorySwapMax=0" in words
        assert "--collect" in words  # of one that was killed nothing stays
        assert words[words.index("--") + 1 :][:2] == ["/bin/sh", "-c"]
        trial = commands.ran[0]
        assert "MemoryMax=67108864" in trial
        assert not any(word.startswith("--unit") for word in trial)
        # its group is known once the program runs
        assert group_of(fence) is None
        unit = next(word.removeprefix("--unit=") for word in words if word.startswith("--unit="))
        (tmp_path / "proc" / "77").mkdir()
        (tmp_path / "proc" / "77" / "cgroup").write_text(f"0::{self.UNIFIED}\n")
        fence.joined(77)
        assert group_of(fence) is None
        folder = tmp_path / "cgroup" / "user.slice" / f"{unit}.scope"
        folder.mkdir(parents=True)
        (tmp_path / "proc" / "77" / "cgroup").write_text(f"0::/user.slice/{unit}.scope\n")
        fence.joined(77)
        assert group_of(fence) == folder
        # a scope that stays is stopped by systemd, and nothing is removed under its feet
        assert "left behind" in fence.close()
        assert commands.ran[-1] == ["systemctl", "--user", "stop", f"{unit}.scope"]

    def test_one_process_keeps_the_scope_and_is_no_part_of_the_run(self, tmp_path: Path) -> None:
        ground = self.ground(tmp_path, Commands(out="67108864\n"))
        words = open_fence(7 * MIB, mechanism="systemd_scope", ground=ground).prefix
        inside = words[words.index("--") + 1 :]
        done = subprocess.run([*inside, "echo", "a b"], capture_output=True, text=True, check=True, timeout=10)
        assert done.stdout == "a b\n"  # it holds no stream of the program's open
        deadline, keepers = time.monotonic() + 10, list[int]()
        while not keepers and time.monotonic() < deadline:
            found = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
            keepers = [pid for pid in found if systemd_scope._keeps(pid)]
        group = systemd_scope.ScopeGroup(tmp_path, "unit", "--user", ground)
        (tmp_path / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in (1, *keepers)))
        assert group.pids() == (1,)
        assert group.members() == (1, *keepers)
        for pid in keepers:
            os.kill(pid, signal.SIGTERM)  # as systemd does to what is left of a scope
            assert systemd_scope._keeps(pid)
            os.kill(pid, signal.SIGKILL)

    def test_a_scope_that_limits_nothing_is_not_taken(self, tmp_path: Path) -> None:
        fence = open_fence(7 * MIB, mechanism="systemd_scope", ground=self.ground(tmp_path, Commands(out="max\n")))
        assert fence.limit.mechanism == "none"
        assert "does not limit" in fence.limit.note

    def test_without_a_bus_there_is_none(self, tmp_path: Path) -> None:
        commands = Commands(1, error="Failed to connect to bus: No medium found\n")
        fence = open_fence(7 * MIB, ground=self.ground(tmp_path, commands))
        assert fence.limit.mechanism == "none"
        assert "cgroup v2:" in fence.limit.note
        assert "systemd scope: Failed to connect to bus" in fence.limit.note


def test_nothing_at_all_is_said_with_what_was_tried(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 8 kB\nMemAvailable: 8 kB\nSwapTotal: 4194304 kB\n")
    fence = open_fence(LIMIT, ground=Ground(proc, Commands()))
    assert fence.limit.mechanism == "none"
    assert fence.limit.note.startswith("only watched: nothing holds the run to 64.0 MiB")
    assert "cgroup v1: not mounted" in fence.limit.note
    assert "4096.0 MiB of swap may hide the peak" in fence.limit.note
    assert fence.limit.swap_bytes == 4 << 30
    assert fence.prefix == ()
    assert fence.close() == ""


def test_every_mechanism_can_be_asked_for() -> None:
    assert set(MECHANISMS.keys()) == {"cgroup_v1", "cgroup_v2", "none", "systemd_scope"}
    with pytest.raises(UnknownName, match="limit mechanism"):
        open_fence(LIMIT, mechanism="ulimit")


def test_groups_of_dead_memfits_are_removed_wherever_they_lie_and_others_left(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = Path("/proc/self/ns/pid").stat().st_ino
    mine = tmp_path / f"memfit-{os.getpid()}-{here}-00000000"
    stale = tmp_path / f"memfit-{ended.pid}-{here}-00000000"
    deeper = tmp_path / "user.slice" / "session-2.scope" / f"memfit-{ended.pid}-{here}-0000000a"
    held = tmp_path / f"memfit-{ended.pid}-{here}-11111111"
    # of another container, whose processes have other numbers
    foreign = tmp_path / f"memfit-{ended.pid}-{here + 1}-00000000"
    others = [tmp_path / "memfit.service", tmp_path / f"memfit-{ended.pid}-{here}-ours", tmp_path / "memfit-1-2-3"]
    for folder in (mine, stale, deeper, held, foreign, *others):
        folder.mkdir(parents=True)
    (held / "still-in-use").touch()  # like a group with a process, it cannot be removed
    remove_stale(tmp_path)
    left = {path for path in tmp_path.iterdir() if path.name != "user.slice"}
    assert left == {mine, held, foreign, *others}
    assert deeper.parent.is_dir()
    assert not deeper.exists()


def test_a_group_that_memfit_makes_is_known_as_its_own() -> None:
    assert _NAME.fullmatch(fresh_name())
    assert fresh_name() != fresh_name()


@pytest.mark.parametrize("size", [0, -1])
def test_no_memory_is_no_limit(size: int, tmp_path: Path) -> None:
    commands = Commands()
    with pytest.raises(UsageError, match="no memory"):
        refuse_too_small(size, ground=Ground(tmp_path, commands))
    assert not commands.ran


def test_a_limit_that_cannot_be_tried_out_or_is_large_is_not_refused(tmp_path: Path) -> None:
    refuse_too_small(None)
    refuse_too_small(1 << 40, ground=Ground(tmp_path, Commands(1)))
    refuse_too_small(4096, ground=Ground(tmp_path, Commands(1)))  # nothing would hold it: only watched


@pytest.fixture
def real() -> Iterator[Fence]:
    fence = open_fence(LIMIT)
    if fence.group is None:
        pytest.skip(f"no control group may be made here: {fence.limit.note}")
    yield fence
    fence.close()


def run_inside(fence: Fence, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*fence.prefix, sys.executable, "-c", code], capture_output=True, text=True, check=False)


class TestKernel:
    def test_what_exceeds_the_limit_is_killed_and_counted(self, real: Fence) -> None:
        assert real.group is not None
        done = run_inside(real, f"held = b'x' * {2 * LIMIT}")
        assert done.returncode == -signal.SIGKILL
        memory = real.group.memory()
        assert memory.oom_kills == 1
        assert memory.limit_failures
        assert memory.peak_bytes == LIMIT

    def test_what_stays_below_is_charged_from_its_first_page_on(self, real: Fence) -> None:
        assert real.group is not None
        code = f"held = b'x' * {16 * MIB}; print(open('/proc/self/cgroup').read())"
        done = run_inside(real, code)
        assert done.returncode == 0
        assert real.group.folder.name in done.stdout
        memory = real.group.memory()
        assert memory.peak_bytes is not None
        assert 16 * MIB <= memory.peak_bytes <= LIMIT
        assert memory.oom_kills == 0

    def test_every_process_inside_ends_with_it_and_the_group_is_gone(self, real: Fence) -> None:
        assert real.group is not None
        code = (
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"  # a daemon, which no process group and no parent leads to
            "    if os.fork() == 0: time.sleep(600)\n"
            "    os._exit(0)\n"
            "print('ready', flush=True)\ntime.sleep(600)\n"
        )
        program = subprocess.Popen([*real.prefix, sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 10
        while len(real.group.pids()) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        pids = real.group.pids()
        assert len(pids) >= 2
        folder = real.group.folder
        assert real.close() == ""
        assert program.wait(10) == -signal.SIGKILL
        program.stdout.close()
        assert not folder.exists()
        assert not [pid for pid in pids if pid != program.pid and Path(f"/proc/{pid}").exists() and alive(pid)]

    def test_a_limit_in_which_nothing_starts_is_refused_with_the_least_that_works(self, real: Fence) -> None:
        assert real.group is not None
        mine = f"memfit-{os.getpid()}-*"  # other tests, and other programs, make groups of their own meanwhile
        beside = set(real.group.folder.parent.glob(mine))
        for size in (4096, 64 * KIB):
            with pytest.raises(TooSmall):
                open_fence(size)
            with pytest.raises(UsageError, match="no process starts") as refused:
                refuse_too_small(size)
            found = re.search(r"the least that works here is (\d+) KiB", str(refused.value.hint))
            assert found is not None
            least = int(found[1]) * KIB
            assert size < least <= 16 * MIB
            refuse_too_small(2 * least)
        assert set(real.group.folder.parent.glob(mine)) <= beside  # nothing of the trials is left

    def test_two_fences_do_not_meet(self, real: Fence) -> None:
        other = open_fence(LIMIT)
        assert real.group is not None
        assert other.group is not None
        assert other.group.folder != real.group.folder
        run_inside(other, f"held = b'x' * {2 * LIMIT}")
        assert other.group.memory().oom_kills == 1
        assert real.group.memory().oom_kills == 0
        other.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
