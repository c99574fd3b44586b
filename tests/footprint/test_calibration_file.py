import os
from pathlib import Path

import pytest

from memfit.errors import UsageError
from memfit.footprint.calibration import Calibration, Residual
from memfit.footprint.calibration_file import file_of, find, folder, read, same_version, write

VERSION = "0c1e570-dirty (llama-cpp-python 0.3.36)"
ONE = Calibration(
    machine="here",
    engine="llama_cpp",
    version=VERSION,
    backend="cpu",
    residuals=(
        Residual(setting="s", model="m", likely_bytes=1, observed_bytes=(2,), unevictable_bytes=3, observations=(4,)),
    ),
)


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_what_was_written_is_found_again() -> None:
    path = write(ONE)
    assert path == file_of(ONE)
    assert path.name == "here--llama_cpp-0c1e570-dirty-llama-cpp-python-0.3.36-cpu.json"
    assert read(path) == ONE
    assert find("here", "llama_cpp", "llama-cpp-python 0.3.36", "cpu") == (ONE, "")
    assert [entry.name for entry in folder().iterdir()] == [path.name]  # nothing unfinished is left


@pytest.mark.parametrize(
    ("machine", "engine", "version", "backend"),
    [
        ("there", "llama_cpp", VERSION, "cpu"),
        ("here", "vllm", VERSION, "cpu"),
        ("here", "llama_cpp", "llama-cpp-python 0.3.35", "cpu"),
        ("here", "llama_cpp", VERSION, "cuda"),
    ],
)
def test_it_holds_for_nothing_else(machine: str, engine: str, version: str, backend: str) -> None:
    write(ONE)
    assert find(machine, engine, version, backend) == (None, "")


def test_nothing_was_calibrated_yet() -> None:
    assert find("here", "llama_cpp", VERSION, "cpu") == (None, "")


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"machine": 1}', b"[" * 100_000])
def test_a_damaged_one_is_a_warning_and_no_failure(damage: bytes) -> None:
    path = write(ONE)
    path.write_bytes(damage)
    found, warning = find("here", "llama_cpp", VERSION, "cpu")
    assert found is None
    assert str(path) in warning
    assert "damaged" in warning
    with pytest.raises(UsageError, match="damaged"):
        read(path)


def test_one_of_another_memfit_is_not_guessed_at() -> None:
    path = write(ONE)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(UsageError, match="another memfit"):
        read(path)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(Path("nothing.json"))


def test_a_write_that_fails_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(ONE)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write(Calibration(machine="here", engine="llama_cpp", version=VERSION, backend="cpu"))
    assert read(path) == ONE
    assert [entry.name for entry in folder().iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (VERSION, "llama.cpp 0c1e570-dirty (llama-cpp-python 0.3.36), CPU", True),
        ("0c1e57098", "llama.cpp 0c1e570 (x)", True),
        ("llama-cpp-python 0.3.36", "llama-cpp-python 0.3.3", False),
        ("b6789 (0c1e570)", "b6789 (1d2f681)", False),
        ("", "", False),
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "1.2.4", False),
    ],
)
def test_versions_are_compared_by_commit_or_package(one: str, other: str, same: bool) -> None:
    assert same_version(one, other) is same
    assert same_version(other, one) is same
