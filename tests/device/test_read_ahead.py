"""What the disk under a file reads around a missing page."""

import os
from pathlib import Path

import pytest

from memfit.device.read_ahead import read_ahead_bytes
from memfit.errors import ProbeError
from memfit.host import LocalHost


class Files(LocalHost):
    """A machine with these files and no others."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read_bytes(self, path: str, *, most: int = 0) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise ProbeError(f"{path} is not there") from None


@pytest.fixture
def where(tmp_path: Path) -> str:
    number = tmp_path.stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def test_a_file_system_has_its_own(tmp_path: Path, where: str) -> None:
    host = Files({f"/sys/class/bdi/{where}/read_ahead_kb": b"4096\n"})
    assert read_ahead_bytes(str(tmp_path), host) == 4 << 20


def test_a_partition_has_that_of_its_disk(tmp_path: Path, where: str) -> None:
    host = Files({f"/sys/dev/block/{where}/../queue/read_ahead_kb": b"128\n"})
    assert read_ahead_bytes(str(tmp_path), host) == 128 << 10


@pytest.mark.parametrize("said", [b"", b"-1", b"much"])
def test_nonsense_is_no_answer(said: bytes, tmp_path: Path, where: str) -> None:
    assert read_ahead_bytes(str(tmp_path), Files({f"/sys/class/bdi/{where}/read_ahead_kb": said})) is None


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert read_ahead_bytes(str(tmp_path / "none"), Files({})) is None
    assert read_ahead_bytes("\0", Files({})) is None
