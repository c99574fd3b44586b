"""Runs of engines that speak events: one that works, and each way to go wrong, as a record and never as a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fake_engines import DEPLOYMENT, Kept, embed, events
from memfit.engine import Start
from memfit.engine.records import Workload
from memfit.errors import MeasureError, ProbeError, UsageError
from memfit.measure import phases, run
from memfit.measure.best_effort import BestEffort
from memfit.measure.course import Course
from memfit.measure.limits import Fence, open_fence
from memfit.measure.records import EngineIdentity, Limit, Observation, Phase
from memfit.measure.run import observe
from memfit.measure.store import Store
from memfit.units import MIB

WORKS = """
assert start() == "the job\\n"
held = bytearray(b"x" * (24 << 20))
say("loading", share=1.0)
at = ctypes.addressof(ctypes.c_char.from_buffer(held))
stand("loaded", buffers=[
    {"term": "kv_cache", "name": "CPU KV buffer", "bytes": 24 << 20, "address": at},
    {"term": "weights", "name": "GPU model buffer", "bytes": 1 << 30, "address": None},
    {"term": "no such term", "name": "another", "bytes": 1, "address": None},
])
stand("prompt", tokens=100, seconds=0.5)
stand("decode", tokens=20, seconds=2.0, buffers=[{"term": "kv_cache", "name": "CPU KV buffer", "bytes": 24 << 20,
                                                  "address": at}])
print("the end of the log", file=sys.stderr)
done()
"""


def watch(monkeypatch: pytest.MonkeyPatch, script: str, **named: Any) -> Observation:
    embed(monkeypatch, events(script))
    return observe(DEPLOYMENT, **{"meters": False, "timeout_s": 20.0, **named})


def test_a_run_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    store, phases = Kept(), list[Phase]()
    seen = watch(monkeypatch, WORKS, store=store, on_phase=phases.append)
    assert (seen.outcome, seen.reason) == ("completed", "")
    assert [phase.name for phase in seen.phases] == ["started", "loaded", "prompt", "decode"]
    assert phases == list(seen.phases)
    started, loaded = seen.phases[:2]
    assert loaded.anonymous_bytes - started.anonymous_bytes >= 24 * MIB
    assert seen.peak_pss_bytes >= loaded.pss_bytes
    assert seen.unevictable_bytes >= 24 * MIB
    assert seen.prompt_tokens_per_s == 200.0
    assert seen.decode_tokens_per_s == 10.0
    assert seen.engine == EngineIdentity(name="llama_cpp", version="fake 1", backend="cpu", instructions="none")
    assert seen.said.endswith("the end of the log\n")
    assert seen.samples
    assert seen.shape_digest
    assert 0 < seen.duration_s < 20
    # a run that is under way is kept as such, and under the same number as its end
    assert [each.outcome for each in store.begun] == ["running"]
    assert store.finished == {1: seen}
    assert seen.id == 1
    # what memfit does not survive is there up to the last phase
    assert [(number, each.outcome) for number, each in store.progressed] == [(1, "running")] * 4
    assert [len(each.phases) for _, each in store.progressed] == [1, 2, 3, 4]
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Observation) == seen


def test_buffers_with_the_pages_that_were_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, WORKS)
    (buffer,) = seen.buffers  # as listed last; a term that no ledger has is left out
    assert (buffer.term, buffer.reserved_bytes) == ("kv_cache", 24 * MIB)
    assert buffer.touched_bytes in (24 * MIB, None)


class Full(Kept):
    """A store whose disk is full from some moment on."""

    def progress(self, identifier: int, observation: Observation) -> None:
        raise MeasureError("runs.sqlite: the disk is full")

    def finish(self, identifier: int, observation: Observation) -> None:
        raise MeasureError("runs.sqlite: the disk is full")


def test_a_store_that_becomes_full_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, WORKS, store=Full())
    assert seen.outcome == "completed"
    assert "not kept: runs.sqlite: the disk is full" in seen.limit.note
    assert seen.id == 0


def test_a_full_disk_half_way_is_told_alike_by_record_and_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = BestEffort(Store(tmp_path / "runs.sqlite"))

    def fail(*_: object) -> None:
        raise MeasureError("the disk is full")

    monkeypatch.setattr(Store, "finish", fail)
    seen = watch(monkeypatch, WORKS, store=store)
    assert (seen.outcome, seen.id) == ("completed", 0)
    assert "not kept: the disk is full" in seen.limit.note
    assert store.problems == ["what run 1 showed is not kept: the disk is full"]
    assert [phase.name for phase in Store(store.path).read(1).phases] == ["started", "loaded", "prompt", "decode"]


def test_a_store_that_cannot_be_begun_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(MeasureError, match=r"runs\.sqlite"):
        watch(monkeypatch, "open('started', 'w')", store=Store(tmp_path / "runs.sqlite"))


def test_in_a_real_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    seen = watch(monkeypatch, WORKS, store=store)
    assert store.read(seen.id) == seen


def test_rounds_are_phases_and_all_of_them_count_for_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
start()
stand("prompt", tokens=10, seconds=1.0)
stand("decode", tokens=4, seconds=2.0)
for number in (1, 2, 3):
    stand(f"round {number}", prompt={"tokens": 10, "seconds": 1.0}, decode={"tokens": 4, "seconds": 2.0})
done()
"""
    seen = watch(monkeypatch, script)
    assert [(phase.name, phase.tokens) for phase in seen.phases[2:]] == [
        ("decode", 4),
        ("round 1", 4),
        ("round 2", 4),
        ("round 3", 4),
    ]
    assert seen.prompt_tokens_per_s == 10.0
    assert seen.decode_tokens_per_s == 2.0


FAILURES = {
    "ends at once": ("print('no such option', file=sys.stderr); sys.exit(2)", "failed", "code 2 .*no such option"),
    "ends in silence": ("start(); sys.exit(0)", "failed", "code 0 after the phase 'started'"),
    "crashes": ("start(); os.kill(os.getpid(), signal.SIGSEGV)", "failed", "SIGSEGV"),
    "crashes at 90 % of the load": (
        "start(); say('loading', share=0.5); say('loading', share=0.9); os.abort()",
        "failed",
        "SIGABRT at 90 % of the load",
    ),
    "says no": (
        "start(); say('failed', what='load m.gguf', why='\\n  tensor x is missing\\nmore')",
        "failed",
        "could not load m.gguf: tensor x is missing",
    ),
    "prints garbage": ("os.write(1, b'\\x00\\xffggml loading...\\n'); time.sleep(60)", "failed", "what is no event"),
    "prints other JSON": ("print('[1, 2]', flush=True); time.sleep(60)", "failed", "what is no event"),
    "prints without end": (
        "\nwhile True: os.write(1, b'x' * 65536)",
        "failed",
        "a line without an end",
    ),
    "closes its output": ("start(); os.close(1); os.close(2); time.sleep(60)", "hung", "gave no sign for 1 s"),
    "hangs at its start": ("time.sleep(60)", "hung", "gave no sign for 1 s at its start"),
    "hangs while loading": (
        "start(); say('loading', share=0.25); time.sleep(60)",
        "hung",
        "for 1 s at 25 % of the load",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_goes_wrong_is_the_result(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    script, outcome, reason = FAILURES[name]
    before = processes()
    seen = watch(monkeypatch, script, timeout_s=1.0 if outcome == "hung" else 20.0, store=(store := Kept()))
    assert seen.outcome == outcome
    assert pytest.importorskip("re").search(reason, seen.reason), seen.reason
    assert store.finished[1].outcome == outcome
    assert not processes() - before
    assert not own_groups()


def test_signs_of_life_keep_a_slow_engine_from_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "start()\nfor _ in range(6):\n    time.sleep(0.4); say('alive')\nstand('loaded'); done()"
    assert watch(monkeypatch, script, timeout_s=1.5).outcome == "completed"


def test_an_engine_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(monkeypatch, Start(words=("/no/such/engine",)))
    seen = observe(DEPLOYMENT, meters=False)
    assert seen.outcome == "failed"
    assert "/no/such/engine" in seen.reason + seen.said
    assert not own_groups()


def test_an_engine_that_cannot_be_started_without_a_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "open_fence", lambda limit: open_fence(limit, mechanism="none"))
    embed(monkeypatch, Start(words=("/no/such/engine",)))
    seen = observe(DEPLOYMENT, meters=False)
    assert (seen.outcome, "cannot be started" in seen.reason) == ("failed", True)


def test_without_permission_for_a_limit_it_is_only_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "open_fence", lambda limit: open_fence(limit, mechanism="none"))
    seen = watch(monkeypatch, WORKS, limit_bytes=8 * MIB)
    assert seen.outcome == "completed"
    assert (seen.limit.mechanism, seen.limit.limit_bytes) == ("none", 8 * MIB)
    assert "only watched" in seen.limit.note
    assert seen.peak_limit_bytes is None
    assert seen.unevictable_bytes >= 24 * MIB


def test_a_server_of_helpers_is_ended_whole_without_a_fence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "open_fence", lambda limit: open_fence(limit, mechanism="none"))
    script = f"""
start()
if os.fork() == 0:
    open({str(tmp_path / "child")!r}, "w").write(str(os.getpid()))
    time.sleep(600)
    os._exit(0)
while not os.path.exists({str(tmp_path / "child")!r}): time.sleep(0.01)
sys.exit(1)
"""
    assert watch(monkeypatch, script).outcome == "failed"
    helper = int((tmp_path / "child").read_text())
    assert not running(helper)


class TestLimit:
    @pytest.fixture(autouse=True)
    def _fence(self) -> None:
        fence = open_fence(64 * MIB)
        fence.close()
        if fence.group is None:
            pytest.skip(f"no control group may be made here: {fence.limit.note}")

    def test_a_kill_is_recorded_with_what_was_held(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = """
start()
say("loading", share=0.9)
held = bytearray()
while True:
    held += b"x" * (1 << 20)
    time.sleep(0.004)
"""
        seen = watch(monkeypatch, script, limit_bytes=96 * MIB)
        assert seen.outcome == "killed"
        assert "the kernel killed it for the limit at 90 % of the load" in seen.reason
        assert seen.paging.oom_kills == 1
        assert seen.paging.limit_failures > 0
        assert seen.peak_limit_bytes == 96 * MIB
        assert 48 * MIB < seen.unevictable_bytes <= 96 * MIB
        assert seen.peak_pss_bytes > 48 * MIB
        assert max(sample.limited_bytes or 0 for sample in seen.samples) > 48 * MIB
        assert not own_groups()

    def test_a_child_of_the_engine_that_is_killed_is_what_ended_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = """
start()
if os.fork() == 0:
    held = b"x" * (256 << 20)
os.wait()
sys.exit(7)
"""
        assert watch(monkeypatch, script, limit_bytes=96 * MIB).outcome == "killed"

    def test_below_the_limit_it_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = watch(monkeypatch, WORKS, limit_bytes=128 * MIB)
        assert seen.outcome == "completed"
        assert seen.limit.limit_bytes == 128 * MIB
        assert seen.limit.mechanism != "none"
        assert seen.peak_limit_bytes is not None
        assert 24 * MIB < seen.peak_limit_bytes < 128 * MIB
        assert seen.paging.oom_kills == 0

    def test_what_was_printed_last_is_kept_of_a_killed_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = "start(); print('loading layer 7', file=sys.stderr, flush=True); held = b'x' * (256 << 20)"
        assert watch(monkeypatch, script, limit_bytes=64 * MIB).said == "loading layer 7\n"


INTERRUPTED = """
import json, os, pathlib, sys
sys.path.insert(0, {tests!r})
import msgspec
from fake_engines import DEPLOYMENT, events
from memfit.measure import run

class Kept:
    def begin(self, observation):
        return 7
    def progress(self, identifier, observation):
        pass
    def finish(self, identifier, observation):
        pathlib.Path({record!r}).write_bytes(msgspec.json.encode(observation))

run._start = lambda *_: events({script!r})
print("result", run.observe(DEPLOYMENT, store=Kept(), meters=False,
                            on_phase=lambda phase: print(phase.name, flush=True)).outcome)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_run_is_kept_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    import signal

    script = f"""
start()
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
stand("loaded")
time.sleep(600)
"""
    record = tmp_path / "record.json"
    tests = str(Path(__file__).parent.parent)
    code = INTERRUPTED.format(tests=tests, record=str(record), script=script)
    memfit = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert memfit.stdout is not None
    assert memfit.stdout.readline() == "started\n"
    assert memfit.stdout.readline() == "loaded\n"
    memfit.send_signal(signal.Signals[name])
    assert memfit.communicate(timeout=30)[0] == "result interrupted\n"
    assert memfit.returncode == 0
    seen = msgspec.json.decode(record.read_bytes(), type=Observation)
    assert (seen.id, seen.outcome) == (7, "interrupted")
    words = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "terminal was closed"}
    assert words[name] in seen.reason
    assert [phase.name for phase in seen.phases] == ["started", "loaded"]
    assert not running(int((tmp_path / "pid").read_text()))
    assert not own_groups(memfit.pid)


KILLED = """
import pathlib, sys
sys.path.insert(0, {tests!r})
from fake_engines import DEPLOYMENT, events
from memfit.measure import run
from memfit.measure.store import Store

run._start = lambda *_: events({script!r})
run.observe(DEPLOYMENT, store=Store(pathlib.Path({store!r})), meters=False,
            on_phase=lambda phase: print(phase.name, flush=True))
"""


def test_what_memfit_does_not_survive_is_kept_up_to_the_last_phase(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f'start(); open({str(pid)!r}, "w").write(str(os.getpid())); stand("loaded"); sys.stdin.read()'
    path = tmp_path / "runs.sqlite"
    code = KILLED.format(tests=str(Path(__file__).parent.parent), script=script, store=str(path))
    memfit = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert memfit.stdout is not None
    assert [memfit.stdout.readline() for _ in range(2)] == ["started\n", "loaded\n"]
    memfit.kill()
    memfit.communicate()
    seen = Store(path).read(1)
    assert seen.outcome == "interrupted"
    assert [phase.name for phase in seen.phases] == ["started", "loaded"]
    # the engine hears that nobody watches any more; its group is removed by the next memfit that makes one
    assert not running(int(pid.read_text()))
    open_fence(None).close()
    assert not own_groups(memfit.pid)


def test_memfits_own_failure_ends_the_run_and_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Kept()

    def fail(_: Phase) -> None:
        raise RuntimeError("a bug of the caller")

    with pytest.raises(RuntimeError, match="a bug"):
        watch(monkeypatch, WORKS, store=store, on_phase=fail)
    assert (store.finished[1].outcome, store.finished[1].reason) == ("failed", "memfit itself failed")
    assert not own_groups()


def test_arguments_that_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="a command and an address"):
        observe(DEPLOYMENT, command=["llama-server"], url="http://127.0.0.1:1")
    with pytest.raises(UsageError, match="its address and its process"):
        observe(DEPLOYMENT, url="http://127.0.0.1:1")
    with pytest.raises(UsageError, match="its address and its process"):
        observe(DEPLOYMENT, pid=1)
    with pytest.raises(UsageError, match="cannot be held to a limit"):
        observe(DEPLOYMENT, url="http://127.0.0.1:1", pid=os.getpid(), limit_bytes=MIB)
    with pytest.raises(ProbeError, match="no process"):
        observe(DEPLOYMENT, url="http://127.0.0.1:1", pid=2**22 + 1)
    with pytest.raises(UsageError, match="do not fit"):
        observe(DEPLOYMENT, workload=Workload(prompt_tokens=5000))


def test_garbage_without_lines_is_not_repeated_at_length(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(monkeypatch, events('start()\nos.write(2, b"x" * 10000)\nos._exit(3)\n'))
    seen = observe(DEPLOYMENT, meters=False)
    assert seen.outcome == "failed"
    assert len(seen.reason) < 400
    assert len(seen.said) == 10000


def test_rounds_beyond_a_number_are_thinned_and_lose_no_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "MOST_ROUNDS", 8)
    seen = Course(EngineIdentity(name="e", version="", backend="cpu"))
    seen.attach(Fence(limit=Limit()), 0)
    seen.stand("decode", tokens=1, seconds=1.0)
    for number in range(1, 101):
        seen.stand(f"round {number}", tokens=2, seconds=0.5)
    rounds = [phase for phase in seen.phases if phase.name.startswith("round ")]
    assert len(rounds) <= 10
    assert sum(phase.tokens for phase in rounds) == 200
    assert seen.phases[0].name == "decode"
    assert rounds[-1].name == "round 100"
    numbers = [int(phase.name.split()[1]) for phase in rounds]
    assert numbers == sorted(numbers)
    assert [phase.at_s for phase in rounds] == sorted(phase.at_s for phase in rounds)


def processes() -> set[int]:
    """Those of this test's own: children that run or wait to be buried."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in children.read_text().split()} if children.exists() else set()


def running(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.02)
    return True


def own_groups(pid: int | None = None) -> list[Path]:
    """Control groups that a run of this process, or of another one, has left behind."""
    root = Path("/sys/fs/cgroup")
    find: Callable[[str], Any] = root.rglob if root.is_dir() else lambda _: ()
    return list(find(f"memfit-{pid or os.getpid()}-*"))
