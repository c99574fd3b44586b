"""Files read again and again: the same answers as through the host, from files that stay open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memfit.errors import ProbeError
from memfit.host import LocalHost
from memfit.host.repeated import RepeatedFile, RepeatedHost


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "usage"
    path.write_text("1")
    file = RepeatedFile(str(path), LocalHost())
    assert file.read() == b"1"
    path.write_text("22222")
    assert file.read() == b"22222"
    path.write_text("3")
    assert file.read(1) == b"3"
    file.close()
    assert not file.is_open


def test_a_long_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"x" * 10_000)
    file = RepeatedFile(str(path), LocalHost())
    assert len(file.read()) == 10_000
    assert len(file.read(5_000)) == 5_000
    file.close()


@pytest.mark.skipif(not Path("/proc/vmstat").exists(), reason="no /proc here")
def test_tables_of_the_kernel_that_come_in_pieces() -> None:
    for path in ("/proc/vmstat", "/proc/meminfo", "/proc/self/statm"):
        file = RepeatedFile(path, LocalHost())
        names = {line.split()[0] for line in file.read(1 << 20).splitlines()}
        if path != "/proc/self/statm":
            assert names == {line.split()[0] for line in Path(path).read_bytes().splitlines()}
        assert names == {line.split()[0] for line in file.read(1 << 20).splitlines()}
        file.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_the_file_of_a_process_that_has_ended_fails() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        file = RepeatedFile(f"/proc/{child.pid}/statm", LocalHost())
        assert file.read()
        child.communicate(b"\n")
    with pytest.raises(ProbeError):
        file.read()
    file.close()


def test_another_root_is_read_through_its_host(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("made up")
    file = RepeatedFile("/proc/meminfo", LocalHost(tmp_path))
    assert file.read() == b"made up"
    assert not file.is_open


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here")
def test_a_host_opens_a_file_once_and_closes_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    before = open_files()
    host = RepeatedHost(LocalHost())
    for _ in range(5):
        assert host.read_bytes(str(tmp_path / "a")) == b"a"
        assert host.read_bytes(str(tmp_path / "b")) == b"b"
    assert open_files() == before + 2
    host.close()
    assert open_files() == before


def test_what_was_found_is_not_looked_for_again(tmp_path: Path) -> None:
    host = RepeatedHost(LocalHost())
    pattern = f"{tmp_path}/*"
    (tmp_path / "one").write_text("1")
    assert host.glob(pattern) == (str(tmp_path / "one"),)
    (tmp_path / "two").write_text("2")
    assert host.glob(pattern) == (str(tmp_path / "one"),)


def test_a_file_that_is_not_there_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    really = os.open

    def counted(path: str, *rest: int) -> int:
        asked.append(path)
        return really(path, *rest)

    monkeypatch.setattr(os, "open", counted)
    host = RepeatedHost(LocalHost())
    for _ in range(3):
        with pytest.raises(ProbeError, match="missing"):
            host.read_bytes(str(tmp_path / "missing"))
    assert len(asked) == 1


def test_more_files_than_may_stay_open_are_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.host.repeated.MOST_OPEN", 2)
    host = RepeatedHost(LocalHost())
    for name in "abcd":
        (tmp_path / name).write_text(name)
    for _ in range(2):
        assert [host.read_bytes(str(tmp_path / name)) for name in "abcd"] == [b"a", b"b", b"c", b"d"]
    host.close()
