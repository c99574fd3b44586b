"""The sampler on real processes and on files made up here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memfit.errors import ProbeError, UnknownName
from memfit.host import LocalHost
from memfit.measure import sampler as sampling
from memfit.measure.meters import METERS, Meter, Reader, Series, Values, Watched
from memfit.measure.sampler import Sampler
from memfit.units import KIB, MIB

linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
GROUP = {
    "memory.current": "5000000\n",
    "memory.peak": "6000000\n",
    "memory.max": "max\n",
    "memory.events": "max 3\noom_kill 0\n",
    "memory.stat": "anon 1000000\nfile 4000000\npgmajfault 5\nworkingset_refault_file 100\n",
}


def machine(root: Path) -> LocalHost:
    files = {
        "proc/meminfo": "MemTotal: 900 kB\nMemAvailable: 700 kB\n",
        "proc/vmstat": "pgfault 1\npgmajfault 1\nworkingset_refault_file 7\n",
        "proc/7/statm": "100 60 20 0 0 0 0",
        "proc/7/status": "VmHWM:\t 999 kB\n",
        "proc/7/stat": "7 (x) S 1 7 7 0 -1 0 100 0 42 0 1 1 0 0 20 0 1 0 5 0 5 0",
        "proc/7/smaps_rollup": "0-7 ---p 0 [rollup]\nPss: 200 kB\nPss_Anon: 150 kB\nPss_File: 50 kB\nSwapPss: 8 kB\n",
        "proc/7/task/7/children": "",
        **{f"g/{name}": text for name, text in GROUP.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return LocalHost(root)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@linux
def test_a_process_is_followed_while_it_grows() -> None:
    script = "import sys; held = bytearray(b'x') * (48 << 20); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        with Sampler(child.pid, interval_s=0.02, meters=()) as sampler:
            assert child.stdout is not None
            child.stdout.readline()
            before = len(sampler.samples)
            until(lambda: len(sampler.samples) > before + 2)
            assert sampler.tree_pids == (child.pid,)
            phase = sampler.phase("grown", tokens=3, seconds=1.5)
            assert phase.pss_bytes >= phase.anonymous_bytes >= 48 * MIB
            assert (phase.name, phase.tokens, phase.seconds) == ("grown", 3, 1.5)
        child.kill()
    assert sampler.samples[-1].resident_bytes >= 48 * MIB
    assert sampler.peak_resident_bytes >= sampler.samples[-1].resident_bytes
    assert (sampler.peak_unevictable_bytes or 0) >= 48 * MIB
    times = [sample.at_s for sample in sampler.samples]
    assert times == sorted(set(times))
    assert sampler.samples[0].limited_bytes is None
    assert (sampler.samples[0].available_bytes or 0) > 0


@linux
def test_a_process_that_dies_is_no_failure_and_what_it_held_stays() -> None:
    script = "held = bytearray(b'x') * (16 << 20); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with Sampler(child.pid, interval_s=0.02, meters=()) as sampler:
            child.kill()
            child.wait()
            until(lambda: sampler.samples[-1].resident_bytes == 0)
            assert sampler.phase("gone").pss_bytes == 0
    assert sampler.peak_resident_bytes >= 16 * MIB
    assert sampler.tree_pids == ()


@linux
def test_nothing_is_left_behind() -> None:
    files = set(Path("/proc/self/fd").iterdir())
    threads = threading.active_count()
    with Sampler(os.getpid()):
        assert threading.active_count() > threads
    assert threading.active_count() == threads
    assert set(Path("/proc/self/fd").iterdir()) == files


@linux
def test_a_run_that_ends_at_once_has_a_sample() -> None:
    with Sampler(os.getpid(), interval_s=60.0, meters=()) as sampler:
        pass
    assert len(sampler.samples) == 1
    assert sampler.samples[0].resident_bytes > 0


def test_figures_of_files(tmp_path: Path) -> None:
    with Sampler(7, "/g", host=machine(tmp_path), interval_s=60.0) as sampler:
        (sample,) = sampler.samples
        assert (sample.limited_bytes, sample.available_bytes) == (5_000_000, 700 * KIB)
        phase = sampler.phase("loaded")
        assert (phase.pss_bytes, phase.anonymous_bytes, phase.file_bytes) == (200 * KIB, 150 * KIB, 50 * KIB)
        assert phase.swapped_bytes == 8 * KIB
    assert sampler.peak_resident_bytes == 999 * KIB  # VmHWM, not the sample
    assert sampler.peak_limited_bytes == 5_000_000
    assert sampler.peak_unevictable_bytes == 1_000_000
    read = {(reading.meter, reading.name): reading for reading in sampler.readings}
    assert ("cgroup", "limited") not in read  # it is a column of the samples
    assert list(read["cgroup", "file"].values) == [4_000_000]


def test_paging_is_the_difference_and_a_group_that_goes_keeps_its_last(tmp_path: Path) -> None:
    host = machine(tmp_path)
    with Sampler(7, "/g", host=host, interval_s=60.0, meters=()) as sampler:
        assert sampler.paging.refaults == 0
        stat = GROUP["memory.stat"].replace("refault_file 100", "refault_file 150").replace("fault 5", "fault 9")
        (tmp_path / "g/memory.stat").write_text(stat)
        (tmp_path / "g/memory.events").write_text("max 83\noom_kill 1\n")
        assert sampler.phase("prompt").refaults == 50
        paging = sampler.paging
        assert (paging.refaults, paging.refaults_scope) == (50, "cgroup")
        assert (paging.major_faults, paging.limit_failures, paging.oom_kills) == (4, 80, 1)
        for name in GROUP:
            (tmp_path / "g" / name).unlink()
    assert sampler.paging == paging
    assert sampler.phase("after").refaults == 0


def test_without_a_group_the_machine_is_counted(tmp_path: Path) -> None:
    host = machine(tmp_path)
    with Sampler(7, host=host, interval_s=60.0, meters=()) as sampler:
        (tmp_path / "proc/vmstat").write_text("pgfault 1\npgmajfault 1\nworkingset_refault_file 19\n")
        (tmp_path / "proc/7/stat").write_text("7 (x) S 1 7 7 0 -1 0 100 0 50 0 1 1 0 0 20 0 1 0 5 0 5 0")
        paging = sampler.paging
    assert (paging.refaults, paging.refaults_scope, paging.major_faults) == (12, "machine", 8)
    assert paging.stalled_s is None


class Scripted:
    """A meter that gives what it is told to, and then fails."""

    def __init__(self, *figures: float) -> None:
        self.figures = list(figures)
        self.closed = False

    def read(self) -> Values:
        if not self.figures:
            raise ProbeError("it was unplugged")
        return {Series("figure", "c"): self.figures.pop(0)}

    def close(self) -> None:
        self.closed = True


def install(monkeypatch: pytest.MonkeyPatch, reader: Reader, *, waits: bool) -> None:
    meter = Meter(summary="scripted", units=("c",), interval_s=0.0, waits=waits, open=lambda watched: reader)
    monkeypatch.setattr(sampling, "METERS", {**dict(METERS.items()), "thermal": meter})


@pytest.mark.parametrize("waits", [False, True])
def test_a_meter_that_falls_out_is_noted_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, waits: bool
) -> None:
    reader = Scripted(40.0, 41.5)
    install(monkeypatch, reader, waits=waits)
    with Sampler(7, host=machine(tmp_path), interval_s=0.01, meters=["thermal"]) as sampler:
        until(lambda: bool(sampler.notes))
        count = len(sampler.samples)
        until(lambda: len(sampler.samples) > count + 2)
    (note,) = sampler.notes
    assert note.startswith("thermal was read until")
    assert note.endswith("it was unplugged")
    (reading,) = [each for each in sampler.readings if each.meter == "thermal"]
    assert (reading.name, reading.unit, reading.values) == ("figure", "c", (40.0, 41.5))
    assert reader.closed


def test_a_meter_that_waits_does_not_hold_up_the_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = threading.Event()

    class Waiting(Scripted):
        def read(self) -> Values:
            free.wait(20)
            return {}

    install(monkeypatch, Waiting(), waits=True)
    with Sampler(7, host=machine(tmp_path), interval_s=0.01, meters=["thermal"]) as sampler:
        until(lambda: len(sampler.samples) > 3)
        free.set()


def test_a_start_that_is_interrupted_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened = Scripted(1.0)

    def interrupted(watched: Watched) -> Reader:
        raise KeyboardInterrupt

    meter = Meter(summary="scripted", units=("c",), interval_s=0.0, open=lambda watched: opened)
    later = Meter(summary="interrupted", units=("c",), interval_s=0.0, open=interrupted)
    monkeypatch.setattr(sampling, "METERS", {**dict(METERS.items()), "rails": meter, "thermal": later})
    threads = threading.active_count()
    sampler = Sampler(7, host=machine(tmp_path), meters=["rails", "thermal"])
    with pytest.raises(KeyboardInterrupt):
        sampler.__enter__()
    assert opened.closed
    assert threading.active_count() == threads


def test_long_runs_are_bounded_and_keep_their_peak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sampling, "MOST_SAMPLES", 16)
    monkeypatch.setattr(sampling, "MOST_POINTS", 8)
    host = machine(tmp_path)
    statm = tmp_path / "proc/7/statm"
    with Sampler(7, host=host, interval_s=60.0, meters=()) as sampler:
        quick = [sampling._Open(name, _opened(name, sampler._watched), 0.0, 0.0) for name in ("process_tree", "system")]
        for pages in (*range(10, 60), 9000, *range(60, 10, -1)):
            statm.write_text(f"9999 {pages} 0 0 0 0 0")
            sampler._tick(quick)
    assert len(sampler.samples) <= 16
    assert max(sample.resident_bytes for sample in sampler.samples) == 9000 * os.sysconf("SC_PAGE_SIZE")
    assert all(len(reading.values) <= 8 for reading in sampler.readings)


def _opened(name: str, watched: Watched) -> Reader:
    reader = METERS.get(name).open(watched)
    assert reader is not None
    return reader


def test_a_clock_that_is_set_moves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(time, "time", lambda: -1e9)
    with Sampler(7, host=machine(tmp_path), interval_s=60.0, meters=()) as sampler:
        assert 0 <= sampler.phase().at_s < 60


def test_names_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="thermals"):
        Sampler(7, meters=["thermals"], host=machine(tmp_path))
    with pytest.raises(ProbeError, match="/nowhere: not a control group"):
        Sampler(7, "/nowhere", host=machine(tmp_path))
