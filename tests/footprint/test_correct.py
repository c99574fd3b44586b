from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from memfit.device import Device, find_device
from memfit.device.machine_key import machine_key
from memfit.engine.records import Options
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint import Footprint
from memfit.footprint.calibration import Calibration, Residual
from memfit.footprint.calibration_file import file_of, write
from memfit.footprint.estimate import estimate
from memfit.footprint.setting import setting_digest
from memfit.model import find_model
from memfit.units import GIB, MIB

HERE = Device(name="this machine", unified=False, capacity_bytes=8 * GIB, threads=4, grade="measured", source="made up")
MODEL = "SmolLM2-135M"
OFF_BYTES = 7 * MIB


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    engine = replace(ENGINES.get("llama_cpp"), installed_version=lambda: "llama-cpp-python 0.3.36")
    monkeypatch.setattr("memfit.footprint.correct.ENGINES", {"llama_cpp": engine})


def shown(calibration: object = "auto", device: Device = HERE) -> Footprint:
    return estimate(MODEL, device=device, source="formula", relief=False, calibration=calibration)  # type: ignore[arg-type]


def ran(**changes: str) -> Calibration:
    setting = setting_digest(find_model(MODEL), Options(), "library", threads=4)
    likely = shown(None).likely_bytes
    residual = Residual(
        setting=setting,
        model=MODEL,
        likely_bytes=likely,
        observed_bytes=(likely + OFF_BYTES,),
        unevictable_bytes=0,
        last="2026-11-25T00:00:00Z",
    )
    fields = {"machine": machine_key(), "engine": "llama_cpp", "version": "x (llama-cpp-python 0.3.36)"}
    return msgspec.convert({**fields, "backend": "cpu", "residuals": (residual,), **changes}, Calibration)


def off(footprint: Footprint) -> int:
    return footprint.likely_bytes - shown(None).likely_bytes


def test_this_machine_is_corrected_by_its_own_runs_without_being_asked() -> None:
    write(ran())
    assert off(shown()) == OFF_BYTES
    assert shown().learned is not None
    assert shown(None).learned is None


def test_a_board_is_not_corrected_by_this_machine() -> None:
    write(ran())
    board = find_device("orin-nano-8gb")
    assert shown(device=board) == shown(None, board)


@pytest.mark.parametrize("change", [{"version": "llama-cpp-python 0.3.35"}, {"machine": "there"}, {"backend": "cuda"}])
def test_another_engine_or_machine_teaches_nothing(change: dict[str, str]) -> None:
    write(ran(**change))
    assert shown() == shown(None)


def test_where_nothing_ran_the_footprint_is_the_same() -> None:
    assert shown() == shown(None)


def test_a_damaged_calibration_is_a_warning() -> None:
    path = write(ran())
    path.write_text("{")
    footprint = shown()
    assert off(footprint) == 0
    assert any(str(path) in warning for warning in footprint.warnings)


def test_a_file_given_by_hand_counts_and_says_what_it_does_not_hold_for(tmp_path: Path) -> None:
    path = write(ran(machine="there", version="llama-cpp-python 0.3.1"), tmp_path / "mine.json")
    footprint = shown(path)
    assert off(footprint) == OFF_BYTES
    assert any("another machine (there)" in warning for warning in footprint.warnings)
    assert any("llama-cpp-python 0.3.1" in warning for warning in footprint.warnings)


def test_a_file_of_another_backend_is_refused(tmp_path: Path) -> None:
    path = write(ran(backend="cuda"), tmp_path / "cuda.json")
    with pytest.raises(UsageError, match="on cuda"):
        shown(str(path))


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="No such file"):
        shown("nowhere.json")


def test_its_own_name_tells_what_it_holds_for() -> None:
    assert file_of(ran()).name.startswith(f"{machine_key()}--llama_cpp-")
