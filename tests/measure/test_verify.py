"""Verdicts of made-up runs, and what is run when; ``test_verify_real.py`` runs for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from memfit.engine.records import Deployment, Options, Workload
from memfit.errors import EngineFailed, MeasureError, UsageError
from memfit.footprint.calibration_file import folder
from memfit.footprint.estimate import estimate_deployment, find_models
from memfit.footprint.setting import shape_digest
from memfit.measure.keeping import Keeping
from memfit.measure.records import Limit, Observation, Paging
from memfit.measure.store import Store
from memfit.measure.verify import Target, verification, verify
from memfit.units import GIB, MIB
from verified_samples import HERE, phase, predicted, ran

TINY = Path(__file__).resolve().parents[2] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
LIMIT = Limit(mechanism="cgroup_v1", limit_bytes=700 * MIB)
PRESSED = Paging(limit_failures=5, refaults=10_000, refaults_scope="cgroup")
# a tenth of the weights read again for each token
PAGED = {"phases": (msgspec.structs.replace(phase("decode", 600, tokens=32), refaults=40_000),)}


def test_a_run_within_its_bounds() -> None:
    found = verification(predicted(), ran(803))
    assert (found.verdict, found.runs) == ("within", True)
    assert (found.residual_bytes, found.residual_ratio) == (3 * MIB, 0.0037)
    assert (found.compared_bytes, found.observed.compared_bytes) == (800 * MIB, 803 * MIB)
    assert found.decode_tokens_per_s == 20.0
    assert found.limit_bytes is None
    assert not found.calibrated


@pytest.mark.parametrize(("peak", "verdict"), [(100, "under"), (900, "over"), (861, "within"), (265, "within")])
def test_above_high_is_over_and_below_low_is_under(peak: int, verdict: str) -> None:
    found = verification(predicted(), ran(peak))
    assert found.verdict == verdict
    assert found.runs  # it was the prediction that was wrong


def test_a_kill_is_a_result() -> None:
    found = verification(predicted(), ran(650, outcome="killed", reason="killed at 650 MiB", limit=LIMIT))
    assert (found.verdict, found.runs, found.limit_bytes) == ("killed", False, 700 * MIB)
    assert "killed at 650 MiB" in found.reason


def test_a_limit_that_nothing_enforced_makes_no_judgement_of_paging() -> None:
    found = verification(predicted(), ran(limit=Limit(limit_bytes=600 * MIB)))
    assert (found.verdict, found.runs) == ("within", False)
    assert "nothing held it" in found.reason


def test_a_run_below_80_percent_of_its_unlimited_speed_only_paged() -> None:
    slow = ran(650, limit=LIMIT, decode_tokens_per_s=15.9)
    assert verification(predicted(), slow, (20.0, 20.0)).verdict == "paged"
    assert verification(predicted(), slow, (19.8, 19.8)).verdict == "within"
    assert verification(predicted(), slow, (20.0,)).verdict == "within"
    assert verification(predicted(), slow).verdict == "within"


def test_a_tree_of_which_the_kernel_killed_a_part_was_killed() -> None:
    found = verification(predicted(), ran(650, limit=LIMIT, paging=Paging(limit_failures=9, oom_kills=1)))
    assert (found.verdict, found.runs) == ("killed", False)
    assert "killed 1 of its processes" in found.reason


def test_a_model_that_others_held_in_memory_is_not_judged_and_not_called_paged() -> None:
    seen = ran(650, limit=LIMIT, charged_elsewhere_bytes=500 * MIB, peak_limit_bytes=600 * MIB)
    found = verification(predicted(), seen)
    assert (found.verdict, found.runs) == ("within", False)
    assert "held by another process" in found.reason


@pytest.mark.parametrize("outcome", ["failed", "hung"])
def test_an_engine_that_failed_is_an_error_with_where_to_look(outcome: str) -> None:
    with pytest.raises(EngineFailed, match="no such tensor") as caught:
        verification(predicted(), ran(outcome=outcome, reason="no such tensor", said="the log"))
    assert caught.value.hint == "what it said last: memfit runs show 7"
    assert caught.value.said == "the log"


def test_an_interrupted_run_counts_only_if_it_had_computed_something() -> None:
    found = verification(predicted(), ran(outcome="interrupted", reason="it was interrupted (Ctrl-C)"))
    assert (found.verdict, found.runs) == ("within", False)  # that it runs was not shown
    assert "Ctrl-C" in found.reason
    loading = ran(outcome="interrupted", reason="Ctrl-C", phases=(phase("started", 540),))
    with pytest.raises(KeyboardInterrupt, match="Ctrl-C"):
        verification(predicted(), loading)


class Runs:
    """Stands for the engine: answers with what it was given, and remembers what it was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, deployment: Deployment, **given: Any) -> Observation:
        self.asked.append(given)
        answer = self.answers.pop(0) if self.answers else {}
        likely = estimate_deployment(deployment, source="formula", relief=False, calibration=None).likely_bytes
        limit = given["limit_bytes"]
        fields: dict[str, Any] = {
            "id": len(self.asked),
            "deployment": deployment,
            "profile": given["profile"],
            "workload": given["workload"],
            "shape_digest": shape_digest(find_models(deployment)),
            "limit": Limit() if limit is None else Limit(mechanism="cgroup_v2", limit_bytes=limit),
            "buffers": (),
        }
        observation: Observation = ran(answer.pop("peak", likely / MIB), **{**fields, **answer})
        store = given["store"]
        if store is not None:
            kept = Keeping(store, msgspec.structs.replace(observation, outcome="running"))
            observation = kept.finish(msgspec.structs.replace(observation, id=0))
        return observation


def fails(*_: object) -> Any:
    raise MeasureError("the disk is full")


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("memfit.footprint.correct.machine_key", lambda: "made-up-cpu")


TARGET = Deployment(model=str(TINY), options=Options(context_tokens=512))


def verified(runs: Runs, **given: Any) -> Any:
    given = {"device": HERE, "source": "formula", **given}
    return verify(given.pop("target", TARGET), observe=runs, **given)


def test_without_a_limit_it_runs_once() -> None:
    runs = Runs()
    found = verified(runs)
    assert found.verdict == "within"
    assert [one["limit_bytes"] for one in runs.asked] == [None]
    assert runs.asked[0]["workload"] == Workload()


def test_a_limit_that_was_felt_is_followed_by_a_run_without() -> None:
    runs = Runs({"paging": PRESSED, "decode_tokens_per_s": 15.0, **PAGED}, {"decode_tokens_per_s": 20.0})
    found = verified(runs, limit_bytes=200 * MIB, workload=Workload(soak_s=600, rounds=3))
    assert [one["limit_bytes"] for one in runs.asked] == [200 * MIB, None]
    assert (runs.asked[1]["workload"].soak_s, runs.asked[1]["workload"].rounds) == (0, 1)
    assert (found.verdict, found.unlimited_decode_tokens_per_s) == ("paged", 20.0)
    assert found.predicted.capacity_bytes == 200 * MIB


def test_a_run_that_was_slow_without_paging_is_run_again_and_the_faster_one_counts() -> None:
    slow = {"paging": PRESSED, "decode_tokens_per_s": 3.0}
    runs = Runs(dict(slow), {"decode_tokens_per_s": 20.0}, {"paging": PRESSED, "decode_tokens_per_s": 19.0})
    found = verified(runs, limit_bytes=200 * MIB)
    assert [one["limit_bytes"] for one in runs.asked] == [200 * MIB, None, 200 * MIB]
    assert (found.verdict, found.decode_tokens_per_s, found.observation.id) == ("within", 19.0, 3)
    runs = Runs(dict(slow), {"decode_tokens_per_s": 20.0}, dict(slow), {"decode_tokens_per_s": 19.0})
    found = verified(runs, limit_bytes=200 * MIB)
    assert [one["limit_bytes"] for one in runs.asked] == [200 * MIB, None, 200 * MIB, None]
    assert (found.verdict, found.unlimited_decode_tokens_per_s) == ("paged", 19.5)


def test_a_machine_that_is_slow_at_times_is_no_measure() -> None:
    slow = {"paging": PRESSED, "decode_tokens_per_s": 12.0}
    found = verified(
        Runs(dict(slow), {"decode_tokens_per_s": 20.0}, dict(slow), {"decode_tokens_per_s": 15.0}),
        limit_bytes=200 * MIB,
    )
    assert (found.verdict, found.runs) == ("within", True)
    assert "its speed is not judged: 69% of runs without a limit that differ" in found.reason


def test_what_cannot_be_judged_is_not_measured_without_a_limit() -> None:
    runs = Runs({"paging": PRESSED, "charged_elsewhere_bytes": 100 * MIB})
    assert not verified(runs, limit_bytes=200 * MIB).runs
    assert len(runs.asked) == 1


def test_of_a_soak_that_was_slow_only_the_speed_is_measured_again() -> None:
    slow = {"paging": PRESSED, "decode_tokens_per_s": 3.0}
    runs = Runs(dict(slow), {"decode_tokens_per_s": 20.0}, {"paging": PRESSED, "decode_tokens_per_s": 19.0})
    found = verified(runs, limit_bytes=200 * MIB, workload=Workload(soak_s=600))
    assert runs.asked[2]["workload"].soak_s == 0
    assert (found.observation.id, found.decode_tokens_per_s) == (1, 19.0)


def test_a_limit_that_was_never_reached_or_killed_is_not() -> None:
    for answer in ({}, {"outcome": "killed", "reason": "killed", "paging": PRESSED}):
        runs = Runs(answer)
        verified(runs, limit_bytes=200 * MIB)
        assert len(runs.asked) == 1


def test_a_speed_that_is_known_is_not_measured_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    verified(Runs({"decode_tokens_per_s": 30.0}), store=store)
    runs = Runs({"paging": PRESSED, "decode_tokens_per_s": 15.0, **PAGED})
    found = verified(runs, store=store, limit_bytes=200 * MIB)
    assert len(runs.asked) == 1
    assert found.unlimited_decode_tokens_per_s == 30.0
    assert found.verdict == "paged"


def test_the_speed_of_another_setting_is_not_taken_for_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    other = msgspec.structs.replace(TARGET, options=Options(context_tokens=1024))
    verified(Runs({"decode_tokens_per_s": 30.0}), store=store, target=other)
    runs = Runs({"paging": PRESSED}, {"decode_tokens_per_s": 20.0})
    assert verified(runs, store=store, limit_bytes=200 * MIB).unlimited_decode_tokens_per_s == 20.0
    assert len(runs.asked) == 2


@pytest.mark.parametrize(("broken", "words"), [("begin", "the run is not kept"), ("finish", "run 1 showed is not")])
def test_a_full_disk_costs_the_record_and_not_the_run(
    broken: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, broken, fails)
    found = verified(Runs(), store=Store(tmp_path / "runs.sqlite"))
    assert found.verdict == "within"
    (warning,) = [one for one in found.predicted.warnings if words in one]
    assert "the disk is full" in warning
    assert found.observation.id == 0  # what is not kept has no number to be looked up by
    assert len(found.predicted.warnings) == 1


def test_a_damaged_calibration_is_told_once_and_as_it_is_now() -> None:
    verified(Runs({"peak": 90}))
    (file,) = folder().glob("*.json")
    file.write_text("{ not json")
    found = verified(Runs({"peak": 90}))
    (warning,) = [one for one in found.predicted.warnings if "damaged" in one]
    assert f"set aside as {file.name}.damaged" in warning
    assert "delete it" not in warning
    assert not [one for one in verified(Runs({"peak": 90})).predicted.warnings if "damaged" in one]


def test_earlier_runs_that_cannot_be_read_are_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "all", fails)
    runs = Runs({"paging": PRESSED}, {"decode_tokens_per_s": 20.0})
    found = verified(runs, store=Store(tmp_path / "runs.sqlite"), limit_bytes=200 * MIB)
    assert found.unlimited_decode_tokens_per_s == 20.0
    assert any("cannot be read" in one for one in found.predicted.warnings)


def test_after_one_run_the_next_prediction_is_right() -> None:
    first = verified(Runs({"peak": 90}))
    assert not first.calibrated
    second = verified(Runs({"peak": 90.4}))
    assert second.calibrated
    assert abs(second.residual_ratio) <= 0.01
    assert second.predicted.learned is not None
    assert second.predicted.learned.observations == (1,)
    assert not verified(Runs({"peak": 90}), calibration=None).calibrated


def test_what_must_not_be_learned_is_not() -> None:
    verified(Runs({"peak": 90}), learn=False)
    verified(Runs({"peak": 90, "paging": PRESSED}), limit_bytes=200 * MIB, learn=False)
    assert not verified(Runs({"peak": 90})).calibrated


def test_a_prediction_is_not_corrected_by_the_run_that_tests_it() -> None:
    assert verified(Runs({"peak": 90})).residual_ratio != 0


@pytest.mark.parametrize(
    ("model", "format_name", "words"),
    [
        ("Llama-3.2-1B", None, "memfit fabricate Llama-3.2-1B --format Q4_K_M --out Llama-3.2-1B-Q4_K_M.gguf"),
        ("Llama-3.2-1B", "Q8_0", "--format Q8_0 --out Llama-3.2-1B-Q8_0.gguf"),
        (str(TINY), "Q4_0", "memfit verify memfit-tiny-F16-Q4_0.gguf"),
    ],
)
def test_what_is_in_no_file_is_answered_with_how_to_make_one(model: str, format_name: str | None, words: str) -> None:
    runs = Runs()
    with pytest.raises(UsageError, match="only a file can be run") as caught:
        verified(runs, target=Deployment(model=model, format=format_name))
    assert words in str(caught.value.hint)
    assert not runs.asked


def test_a_run_that_this_machine_cannot_hold_is_not_started() -> None:
    small = msgspec.structs.replace(HERE, capacity_bytes=300 * MIB)
    runs = Runs()
    with pytest.raises(UsageError, match="would kill other programs") as caught:
        verified(runs, device=small)
    assert "--limit 44MiB" not in str(caught.value.hint)
    assert not runs.asked
    assert verified(runs, device=small, limit_bytes=40 * MIB).limit_bytes == 40 * MIB


def test_a_large_machine_holds_it_and_its_unlimited_run() -> None:
    assert HERE.capacity_bytes == 2 * GIB
    runs = Runs({"paging": PRESSED})
    small = msgspec.structs.replace(HERE, capacity_bytes=300 * MIB)
    verified(runs, device=small, limit_bytes=40 * MIB)
    assert len(runs.asked) == 1  # without a limit it would not fit: its speed stays unknown


def test_prompts_that_a_server_may_save_some_day_are_no_reason_not_to_run_it() -> None:
    options = Options(context_tokens=512, slots=4, output_rows=4, cache_ram_bytes=64 * GIB)
    server = Target(
        deployment=Deployment(model=str(TINY), options=options), profile="server", command=("llama-server",)
    )
    assert verified(Runs(), target=server).predicted.high_bytes > HERE.capacity_bytes


def test_a_server_is_run_by_its_command_or_watched_where_it_runs() -> None:
    runs = Runs()
    server = Target(deployment=TARGET, profile="server", command=("llama-server", "-m", str(TINY)))
    verified(runs, target=server)
    assert runs.asked[0]["command"] == ("llama-server", "-m", str(TINY))
    assert runs.asked[0]["profile"] == "server"
    running = Target(deployment=TARGET, profile="server", url="http://127.0.0.1:8080", pid=1)
    verified(runs, target=running)
    assert (runs.asked[1]["url"], runs.asked[1]["pid"]) == ("http://127.0.0.1:8080", 1)
