"""The store keeps every run whatever happens to memfit, the disk or the file, and changes none."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

import memfit
from memfit.errors import MeasureError, UsageError
from memfit.measure import _living, store
from memfit.measure.best_effort import BestEffort
from memfit.measure.records import Limit, Observation
from memfit.measure.store import Store, store_path
from runs_kept import observation

RUNNING = observation(outcome="running", peak_pss_bytes=0, duration_s=0.0, decode_tokens_per_s=None)
DONE = observation()


def kept(path: Path) -> Store:
    return Store(path / "deep" / "runs.sqlite")


def raw(one: Store) -> sqlite3.Connection:
    return sqlite3.connect(one.path)


def test_a_run_is_kept_from_its_beginning_on(tmp_path: Path) -> None:
    one = kept(tmp_path)
    number = one.begin(RUNNING)
    assert one.read(number) == msgspec.structs.replace(RUNNING, id=number)
    one.progress(number, msgspec.structs.replace(RUNNING, peak_pss_bytes=5))
    assert one.read(number).peak_pss_bytes == 5
    one.finish(number, DONE)
    assert one.read(number) == msgspec.structs.replace(DONE, id=number)
    assert [each.id for each in one.all()] == [number]


def test_what_was_kept_is_never_changed(tmp_path: Path) -> None:
    one = kept(tmp_path)
    number = one.begin(RUNNING)
    one.finish(number, DONE)
    with pytest.raises(MeasureError, match="has ended already"):
        one.finish(number, RUNNING)
    with pytest.raises(MeasureError, match="has ended already"):
        one.progress(number, RUNNING)
    for statement in (
        "UPDATE runs SET model = 'x'",
        "DELETE FROM runs",
        "UPDATE events SET peak_pss_bytes = 1",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events",
        "INSERT OR REPLACE INTO runs SELECT * FROM runs",
        "INSERT INTO events SELECT 99, run, kind, at, outcome, duration_s, 1, 1, '' FROM events WHERE kind = 'ended'",
    ):
        database = raw(one)
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(statement)
        database.close()
    assert one.read(number) == msgspec.structs.replace(DONE, id=number)


def test_a_store_that_was_never_written_is_empty_and_is_not_made_by_looking(tmp_path: Path) -> None:
    one = kept(tmp_path)
    assert one.summaries() == ()
    assert list(one.all()) == []
    assert one.count() == 0
    with pytest.raises(UsageError, match="no run 3") as refused:
        one.read(3)
    assert "memfit runs" in str(refused.value.hint)
    assert not one.path.parent.exists()


def test_summaries_are_newest_first_and_decode_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept(tmp_path)
    for number in range(1, 4):
        assert one.begin(RUNNING) == number
        one.finish(number, msgspec.structs.replace(DONE, peak_pss_bytes=number))
    monkeypatch.setattr(msgspec.json, "decode", None)
    assert [(each.id, each.peak_pss_bytes) for each in one.summaries()] == [(3, 3), (2, 2), (1, 1)]
    assert [each.id for each in one.summaries(2)] == [3, 2]
    (first,) = one.summaries(1)
    assert (first.model, first.outcome, first.decode_tokens_per_s) == (DONE.deployment.model, "completed", 16.0)
    assert (first.machine, first.engine, first.limit_bytes) == (DONE.machine.key, "llama_cpp", DONE.limit.limit_bytes)
    assert one.count() == 3


def test_runs_of_one_shape(tmp_path: Path) -> None:
    one = kept(tmp_path)
    for digest in ("a", "b", "a"):
        one.begin(msgspec.structs.replace(RUNNING, shape_digest=digest))
    assert [each.id for each in one.all("a")] == [1, 3]


def test_a_run_whose_process_is_gone_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept(tmp_path)
    number = one.begin(RUNNING)
    assert one.summaries()[0].outcome == "running"
    for who in (
        _living.Who(os.getpid(), 1, _living.this_process().boot),  # another process has its number now
        _living.Who(os.getpid(), _living.this_process().started, "another boot"),
        _living.Who(1 << 22, 5, _living.this_process().boot),
    ):
        monkeypatch.setattr(store, "this_process", lambda who=who: who)
        number = one.begin(RUNNING)
        assert one.summaries(1)[0].outcome == "interrupted"
        assert one.read(number).outcome == "interrupted"
        assert "memfit ended before it did, or the disk was full" in one.read(number).reason
    one.finish(number, DONE)
    assert one.read(number).outcome == "completed"


KILLED = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_store import DONE, RUNNING
from memfit.measure.store import Store
one = Store(Path(sys.argv[1]))
number = one.begin(RUNNING)
print(number, flush=True)
while True:
    one.progress(number, DONE)
    number = one.begin(RUNNING)
"""


@pytest.mark.parametrize("pause_s", [0.0, 0.003, 0.017, 0.05])
def test_kill_9_leaves_a_whole_file_and_the_run_in_it(tmp_path: Path, pause_s: float) -> None:
    one = kept(tmp_path)
    here = Path(__file__).parent
    paths = os.pathsep.join([str(Path(memfit.__file__).parent.parent), str(here.parent), str(here)])
    words = [sys.executable, "-c", KILLED, str(one.path), str(here)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}) as writer:
        assert writer.stdout is not None
        number = int(writer.stdout.readline())
        time.sleep(pause_s)
        writer.send_signal(signal.SIGKILL)
    runs = list(one.all())
    assert runs[0].id == number
    assert {run.outcome for run in runs} <= {"interrupted", "completed"}  # `progress` above tells of a completed one
    database = raw(one)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert one.begin(RUNNING) > runs[-1].id - 1


def _write_some(path: Path, count: int) -> None:
    one = Store(path)
    for _ in range(count):
        one.finish(one.begin(RUNNING), DONE)


def test_several_memfits_at_once(tmp_path: Path) -> None:
    one = kept(tmp_path)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_some, args=(one.path, 4)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert [run.outcome for run in one.all()] == ["completed"] * 12


def test_a_store_that_stays_locked_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept(tmp_path)
    one.begin(RUNNING)
    monkeypatch.setattr(store, "BUSY_S", 0.05)
    database = raw(one)
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(MeasureError, match="another memfit has been writing"):
        one.begin(RUNNING)
    database.rollback()
    database.close()


@pytest.mark.parametrize("damage", ["text", "head", "middle", "cut", "rows"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: str) -> None:
    one = kept(tmp_path)
    _write_some(one.path, 5)
    whole = one.path.read_bytes()
    if damage == "rows":
        database = raw(one)
        database.execute("DROP TRIGGER events_update")
        database.execute("UPDATE events SET outcome = 'strange'")
        database.commit()
        database.close()
    else:
        one.path.write_bytes(
            {
                "text": b"this is no database\n" * 300,
                "head": bytes(100) + whole[100:],
                "middle": whole[:4096] + b"\xff" * (len(whole) - 4096),
                "cut": whole[: len(whole) // 2],
            }[damage]
        )
    before = one.path.read_bytes()
    with pytest.raises(MeasureError, match=r"runs\.sqlite") as refused:
        one.summaries()
    assert "mv " in str(refused.value.hint)
    if damage in ("text", "head"):
        with pytest.raises(MeasureError, match=r"runs\.sqlite"):
            one.begin(RUNNING)
    assert one.path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    one = Store(tmp_path / "other.sqlite")
    database = raw(one)
    database.execute("CREATE TABLE bookmarks (name)")
    database.commit()
    database.close()
    for act in (one.summaries, lambda: one.begin(RUNNING)):
        with pytest.raises(MeasureError, match="another program"):
            act()


def test_a_store_of_a_newer_memfit(tmp_path: Path) -> None:
    one = kept(tmp_path)
    one.begin(RUNNING)
    database = raw(one)
    database.execute("PRAGMA user_version = 2")
    database.commit()
    database.close()
    for act in (one.summaries, lambda: one.begin(RUNNING), lambda: list(one.all())):
        with pytest.raises(MeasureError, match="newer memfit") as refused:
            act()
        assert "update memfit" in str(refused.value.hint)


@pytest.mark.parametrize("strange", [False, True])
def test_a_run_of_a_newer_memfit_in_a_store_of_this_one(tmp_path: Path, *, strange: bool) -> None:
    one = kept(tmp_path)
    number = one.begin(RUNNING)
    newer = msgspec.to_builtins(msgspec.structs.replace(DONE, schema_version=2))
    if strange:
        newer["outcome"] = "a word that this one does not know"
    database = raw(one)
    values = (number, msgspec.json.encode(newer).decode())
    database.execute("INSERT INTO events VALUES (9, ?, 'ended', '', 'completed', 1.0, 7, NULL, ?)", values)
    database.commit()
    database.close()
    with pytest.raises(MeasureError, match="newer memfit"):
        one.read(number)
    assert one.summaries()[0].peak_pss_bytes == 7  # the list needs its columns alone


def test_a_run_that_cannot_be_decoded_names_itself(tmp_path: Path) -> None:
    one = kept(tmp_path)
    number = one.begin(RUNNING)
    database = raw(one)
    database.execute("INSERT INTO events VALUES (9, ?, 'ended', '', 'completed', 1.0, 7, NULL, '{\"id\": ')", (number,))
    database.commit()
    database.close()
    with pytest.raises(MeasureError, match=f"run {number} in .* cannot be read"):
        one.read(number)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file/runs.sqlite", Path("/proc/memfit/runs.sqlite"), tmp_path):
        with pytest.raises(MeasureError) as refused:
            Store(path).begin(RUNNING)
        assert str(path.parent) in str(refused.value)
        assert "MEMFIT_STORE" in str(refused.value.hint)


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid():
        pytest.skip("only root may mount a small disk")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("no tmpfs may be mounted here")
    return folder


def test_a_full_disk(small_disk: Path) -> None:
    try:
        one = BestEffort(Store(small_disk / "runs.sqlite"))
        number = one.begin(RUNNING)
        assert number == 1
        (small_disk / "ballast").write_bytes(b"x")
        with pytest.raises(MeasureError, match="disk is full") as refused:
            _write_some(one.path, 100)
        assert "free some space" in str(refused.value.hint)
        with pytest.raises(MeasureError, match="disk is full"):
            one.finish(number, observation(said="x" * 200_000))
        assert "what run 1 showed is not kept" in one.problems[0]
        assert one.read(1).id == 1
        assert one.count() > 1  # what was kept before the disk was full is whole
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_a_disk_that_cannot_be_written_can_be_read(small_disk: Path) -> None:
    try:
        one = Store(small_disk / "runs.sqlite")
        one.finish(one.begin(RUNNING), DONE)
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        assert one.read(1).peak_pss_bytes == DONE.peak_pss_bytes
        with pytest.raises(MeasureError, match="cannot be written"):
            one.begin(RUNNING)
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_a_failing_store_ends_no_run(tmp_path: Path) -> None:
    one = BestEffort(Store(Path("/proc/memfit/runs.sqlite")))
    number = one.begin(RUNNING)
    assert number == 0
    one.progress(number, RUNNING)
    one.finish(number, DONE)
    assert list(one.all()) == []
    (problem,) = one.problems
    assert problem.startswith("the run is not kept: /proc/memfit")
    damaged = BestEffort(Store(tmp_path / "damaged"))
    damaged.path.write_text("no database" * 100)
    assert list(damaged.all()) == []
    assert "earlier runs cannot be read" in damaged.problems[0]


def test_a_limit_that_nothing_enforced_is_listed_as_such(tmp_path: Path) -> None:
    one = Store(tmp_path / "runs.sqlite")
    held, watched = Limit(mechanism="cgroup_v2", limit_bytes=1), Limit(limit_bytes=1)
    for limit in (held, watched, Limit()):
        said = '"limit":{"mechanism":"none"'  # what an engine prints is no field
        one.finish(one.begin(observation(limit=limit, outcome="running")), observation(limit=limit, said=said))
    one.begin(observation(limit=watched, outcome="running"))
    assert [each.enforced for each in one.summaries()] == [None, None, False, True]


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMFIT_STORE", "here/runs.db")
    assert store_path() == Path("here/runs.db")
    monkeypatch.setenv("MEMFIT_STORE", "")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert store_path() == Path("/data/memfit/runs.sqlite")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home")
    assert store_path() == Path("/home/.local/share/memfit/runs.sqlite")


@pytest.mark.parametrize("name", ["a?b#c%20 d", "ünïcode", "'quoted\""])
def test_any_name_of_a_file(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = Store(Path(name))
    one.begin(RUNNING)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert one.count() == 1


def test_a_model_whose_name_is_no_text(tmp_path: Path) -> None:
    one = kept(tmp_path)
    strange = msgspec.structs.replace(RUNNING.deployment, model=os.fsdecode(b"m\xff.gguf"))
    number = one.begin(msgspec.structs.replace(RUNNING, deployment=strange))
    assert one.read(number).deployment.model == "m\N{REPLACEMENT CHARACTER}.gguf"


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    one = kept(tmp_path)
    for each in (DONE, observation(peak_limit_bytes=None, prompt_tokens_per_s=None, said="\x00\x1b[31m")):
        number = one.begin(RUNNING)
        one.finish(number, each)
        back: Observation = one.read(number)
        assert back == msgspec.structs.replace(each, id=number)
