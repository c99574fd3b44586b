import os
from pathlib import Path
from typing import Any

import pytest

from memfit.engine.records import Workload
from memfit.footprint.calibration import Calibration, Residual, calibrated
from memfit.footprint.calibration_file import file_of, find, read
from memfit.footprint.filling import Filling
from memfit.measure.calibrate import MOST_RUNS, again, keep, learned, of_engine, residual_of, teaches
from memfit.measure.records import Observation, Paging
from memfit.units import MIB
from verified_samples import changed, phase, predicted, ran

FOOTPRINT = predicted()


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def taught(observation: Observation) -> Residual:
    found = residual_of(FOOTPRINT, observation, "this")
    assert found is not None
    return found


def after(*observations: Observation) -> Calibration:
    calibration = of_engine(observations[0])
    for observation in observations:
        calibration = learned(calibration, taught(observation))
    return calibration


def test_after_one_run_of_a_setting_its_residual_is_gone() -> None:
    for peak in (803, 791.5, 640, 1200):
        observation = ran(peak)
        footprint = calibrated(FOOTPRINT, after(observation), "this")
        off = abs(observation.peak_pss_bytes - footprint.likely_bytes) / footprint.likely_bytes
        assert off <= 0.01
        assert footprint.low_bytes <= observation.peak_pss_bytes <= footprint.high_bytes


def test_a_residual_says_where_it_comes_from() -> None:
    residual = taught(ran())
    assert (residual.observed_bytes, residual.likely_bytes) == ((803 * MIB,), FOOTPRINT.likely_bytes)
    assert (residual.observations, residual.last) == ((7,), "2026-11-25T10:00:00Z")
    assert {one.name: one.touched_bytes // MIB for one in residual.terms} == {
        "weights": 600,
        "kv_cache": 100,
        "compute_buffers": 53,
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"outcome": "killed"}, "killed"),
        ({"outcome": "interrupted"}, "interrupted"),
        ({"phases": (phase("prompt", 800, swapped=1),)}, "swapped"),
        ({"paging": Paging(limit_failures=3)}, "limit"),
        (
            {"phases": tuple(phase(f"round {index}", 800 + index) for index in range(1, 21))},
            "leaked",
        ),
    ],
)
def test_what_leaked_or_could_not_keep_its_memory_teaches_nothing(changes: dict[str, Any], why: str) -> None:
    observation = ran(**changes)
    assert why in teaches(FOOTPRINT, observation)
    assert residual_of(FOOTPRINT, observation, "this") is None


@pytest.mark.parametrize(
    ("workload", "filling"),
    [
        (Workload(), ("ubatch", 0)),
        (Workload(prompt_tokens=512), ("ubatch", 0)),
        (Workload(prompt_tokens=128, users=4), ("ubatch", 0)),
        (Workload(fill_context=True), ("context", 0)),
        (Workload(prompt_tokens=100), ("part", 100)),
        (Workload(prompt_tokens=20, users=4), ("part", 80)),
    ],
)
def test_a_run_teaches_about_runs_that_fill_as_much(workload: Workload, filling: tuple[str, int]) -> None:
    assert taught(ran(workload=workload)).filling == filling


def test_runs_of_a_setting_are_gathered_and_others_kept_apart() -> None:
    calibration = after(ran(800), ran(810, id=8), ran(820, id=9))
    other = residual_of(FOOTPRINT, ran(900, id=10), "that")
    assert other is not None
    calibration = learned(calibration, other)
    assert [one.setting for one in calibration.residuals] == ["this", "that"]
    assert [size // MIB for size in calibration.residuals[0].observed_bytes] == [800, 810, 820]
    assert calibration.residuals[0].observations == (7, 8, 9)


def test_a_run_is_learned_once() -> None:
    assert after(ran(), ran()) == after(ran())


def test_old_runs_are_forgotten() -> None:
    calibration = after(*(ran(800 + index, id=index + 1) for index in range(MOST_RUNS + 5)))
    assert len(calibration.residuals[0].observed_bytes) == MOST_RUNS
    assert calibration.residuals[0].observations[0] == 6


def test_every_way_to_fill_a_setting_is_predicted_as_it_was_observed() -> None:
    runs = {
        Filling("part", 100): ran(780, workload=Workload(prompt_tokens=100)),
        Filling("part", 200): ran(790, id=8, workload=Workload(prompt_tokens=200)),
        Filling("ubatch"): ran(800, id=9),
        Filling("context"): ran(850, id=10, workload=Workload(fill_context=True)),
    }
    for order in (list(runs), list(reversed(runs))):
        calibration = after(*(runs[filling] for filling in order))
        for filling, observation in runs.items():
            footprint = calibrated(FOOTPRINT, calibration, "this", filling)
            assert footprint.likely_bytes == observation.peak_pss_bytes
            assert footprint.learned is not None
            assert footprint.learned.filled == filling.filled
        # whatever it will be used for: the most that it showed
        assert calibrated(FOOTPRINT, calibration, "this").likely_bytes == 850 * MIB
        assert calibrated(FOOTPRINT, calibration, "this", Filling("part", 300)).likely_bytes == 850 * MIB


def test_a_short_prompt_alone_says_nothing_about_other_uses() -> None:
    calibration = after(ran(700, workload=Workload(prompt_tokens=100)))
    assert calibrated(FOOTPRINT, calibration, "this") == FOOTPRINT
    assert calibrated(FOOTPRINT, calibration, "this", Filling("ubatch")) == FOOTPRINT


def test_it_is_kept_by_machine_and_engine_and_found_again() -> None:
    path, warning, _ = keep(ran(), taught(ran()))
    assert (path, warning) == (file_of(of_engine(ran())), "")
    assert path is not None
    keep(ran(810, id=8), taught(ran(810, id=8)))
    found, _ = find("made-up-cpu", "llama_cpp", "llama-cpp-python 0.3.36", "cpu")
    assert found is not None
    assert found.residuals[0].observations == (7, 8)


def test_a_damaged_file_is_set_aside_and_begun_anew() -> None:
    path, _, _ = keep(ran(), taught(ran()))
    assert path is not None
    path.write_text("{ not json")
    before = find("made-up-cpu", "llama_cpp", "llama-cpp-python 0.3.36", "cpu")[1]
    assert "delete it" in before
    again, warning, instead_of = keep(ran(), taught(ran()))
    assert again == path
    assert warning == f"{path}: damaged; it was set aside as {path.name}.damaged and begun anew"
    assert instead_of == before
    assert read(path).residuals[0].observations == (7,)
    assert path.with_suffix(".json.damaged").read_text() == "{ not json"


def test_a_full_disk_does_not_fail_a_run_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    path, warning, _ = keep(ran(), taught(ran()))
    assert path is None
    assert "No space left" in warning


def test_another_engine_version_begins_its_own_file() -> None:
    keep(ran(), taught(ran()))
    newer = changed(ran(), engine=ran().engine.__class__(name="llama_cpp", version="aaaaaaa (x 0.4)", backend="cpu"))
    path, _, _ = keep(newer, taught(newer))
    assert path is not None
    assert path != file_of(of_engine(ran()))
    assert len(read(path).residuals) == 1


def test_everything_is_learned_again_from_the_runs_that_are_kept() -> None:
    kept = (ran(800), ran(810, id=8), ran(900, id=9, outcome="killed"), ran(820, id=10))
    predicted_again = {7: (FOOTPRINT, "this"), 8: (FOOTPRINT, "this"), 9: (FOOTPRINT, "this"), 10: None}
    (calibration,) = again(kept, lambda observation: predicted_again[observation.id])
    assert calibration == after(ran(800), ran(810, id=8))
    assert again((), lambda _: None) == ()
