from pathlib import Path

import msgspec
import pytest

from memfit.cli._group import run
from memfit.device.machine_key import machine_key
from memfit.footprint.calibration import Calibration, Residual
from memfit.footprint.calibration_file import file_of, write
from memfit.units import MIB

ONE = Residual(
    setting="0123456789abcdef",
    model="made-up",
    likely_bytes=800 * MIB,
    observed_bytes=(803 * MIB, 805 * MIB, 801 * MIB),
    unevictable_bytes=300 * MIB,
    observations=(3, 4, 5),
    last="2026-11-25T10:00:00Z",
)


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def known(machine: str | None = None) -> Calibration:
    calibration = Calibration(
        machine=machine or machine_key(), engine="llama_cpp", version="0c1e570", backend="cpu", residuals=(ONE,)
    )
    write(calibration)
    return calibration


def test_what_is_known_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    known()
    known("another-machine")
    assert run(["calibrate"]) == 0
    told = capsys.readouterr().out
    assert "1 setting ran — 3 runs in all" in told
    assert "another-machine" not in told
    row = next(line for line in told.splitlines() if line.startswith("made-up"))
    assert [word for word in row.split() if "." in word] == ["800.0", "803.0", "3.0"]


def test_json_is_a_file_for_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    calibration = known()
    assert run(["calibrate", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Calibration) == calibration


def test_forgetting_deletes_this_machines_alone_damaged_or_not(capsys: pytest.CaptureFixture[str]) -> None:
    mine, other = file_of(known()), file_of(known("another-machine"))
    mine.write_text("{")
    assert run(["calibrate", "--forget"]) == 0
    assert "nothing is calibrated" in capsys.readouterr().out
    assert not mine.exists()
    assert other.exists()


def test_where_nothing_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate"]) == 0
    assert "memfit verify" in capsys.readouterr().out
    assert run(["calibrate", "--json"]) == 2
    assert run(["calibrate", "--again", "--forget"]) == 2
