"""What memfit started ends with it, also when it is killed and can do nothing about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memfit.measure.guard import Guard
from memfit.measure.limits import Fence
from memfit.measure.limits._group import Group
from memfit.measure.records import Limit

# a run of a fake engine that has a daemon beside it, which no parent and no process group leads to
RUN = """
import sys
sys.path.insert(0, {tests!r})
from fake_engines import DEPLOYMENT, events
from memfit.measure import run
run._start = lambda *_: events({script!r})
run.observe(DEPLOYMENT, limit_bytes={limit}, meters=False, on_phase=lambda phase: print(phase.name, flush=True))
"""
ENGINE = """
start()
if os.fork() == 0:
    os.setpgid(0, 0)
    time.sleep(600)
open({pids!r}, "w").write(f"{{os.getpid()}}\\n")
stand("loaded")
time.sleep(600)
"""
TESTS = str(Path(__file__).parent.parent)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    return happened()


def session(leader: int) -> list[int]:
    """Its living members."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if entry.name.isdigit() and fields[3] == str(leader) and fields[0] not in "ZX":
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("limit", [None, 256 << 20])
def test_a_run_does_not_outlive_a_memfit_that_is_killed(tmp_path: Path, limit: int | None) -> None:
    engine = ENGINE.format(pids=str(tmp_path / "pid"))
    memfit = subprocess.Popen(
        [sys.executable, "-c", RUN.format(tests=TESTS, script=engine, limit=limit)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert memfit.stdout is not None
    assert [memfit.stdout.readline().strip() for _ in range(2)] == ["started", "loaded"]
    leader = int((tmp_path / "pid").read_text())
    groups = {line.rpartition(":")[2] for line in Path(f"/proc/{leader}/cgroup").read_text().split()}
    made = [group for group in groups if f"memfit-{memfit.pid}-" in group]
    assert len(session(leader)) == 2
    os.killpg(memfit.pid, signal.SIGKILL)
    memfit.wait()
    memfit.stdout.close()
    assert eventually(lambda: not session(leader))
    assert eventually(lambda: not any(list(Path("/sys/fs/cgroup").rglob(Path(group).name)) for group in made))


def test_a_run_that_has_ended_is_left_alone() -> None:
    program = subprocess.Popen(["sleep", "600"], start_new_session=True)
    guard = Guard()
    guard.program(program.pid)
    guard.dismiss()
    assert guard._process is not None
    assert guard._process.returncode == 0
    assert alive(program.pid)
    program.kill()
    program.wait()


def test_it_kills_and_removes_when_its_pipe_ends(tmp_path: Path) -> None:
    program = subprocess.Popen(["sleep", "600"], start_new_session=True)
    folder = tmp_path / "memfit-1-2-abcdefab of a run"
    folder.mkdir()
    guard = Guard()
    guard.program(program.pid)
    guard.group(Fence(limit=Limit(), group=Group(folder, 2)))
    assert guard._process is not None
    assert guard._process.stdin is not None
    guard._process.stdin.close()
    assert program.wait(60) == -signal.SIGKILL
    # a written folder keeps the file that was written into it, and is no group that could be removed
    assert eventually(lambda: (folder / "cgroup.kill").exists())
    guard._process.kill()
    guard._process.wait()


def test_without_a_shell_there_is_no_guard_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError("/bin/sh")

    monkeypatch.setattr(subprocess, "Popen", none)
    guard = Guard()
    guard.program(1)
    guard.dismiss()
