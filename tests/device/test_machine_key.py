from pathlib import Path

import pytest

from memfit.device.machine_key import board_model, fold, machine_key, processor_name
from memfit.host import LocalHost

ARM = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd42\n"
X86 = "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz\nprocessor\t: 1\nmodel name\t: other\n"


def host(root: Path, *, cpuinfo: str = "", board: bytes = b"") -> LocalHost:
    (root / "proc" / "device-tree").mkdir(parents=True)
    if cpuinfo:
        (root / "proc" / "cpuinfo").write_text(cpuinfo)
    if board:
        (root / "proc" / "device-tree" / "model").write_bytes(board)
    return LocalHost(root)


def test_a_board_is_called_by_its_model(tmp_path: Path) -> None:
    board = host(tmp_path, cpuinfo=ARM, board=b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert board_model(board) == "NVIDIA Jetson Orin Nano Developer Kit"
    assert machine_key(board) == "nvidia-jetson-orin-nano-developer-kit"


def test_a_pc_is_called_by_its_processor_without_its_clock(tmp_path: Path) -> None:
    assert machine_key(host(tmp_path, cpuinfo=X86)) == "intel-core-i7-8650u-cpu"


def test_arm_without_a_name_has_numbers(tmp_path: Path) -> None:
    assert processor_name(host(tmp_path, cpuinfo=ARM)) == "arm 0x41 0xd42"


def test_a_machine_that_cannot_be_read_still_has_a_key(tmp_path: Path) -> None:
    assert machine_key(host(tmp_path))


@pytest.mark.parametrize(
    ("name", "folded"),
    [("", "unknown"), ("  ", "unknown"), ("../../etc", "etc"), ("Ünïc", "n-c"), ("a" * 99, "a" * 64)],
)
def test_a_key_is_always_a_file_name(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_this_machine_has_the_same_key_twice() -> None:
    assert machine_key() == machine_key() != ""
