from pathlib import Path

import pytest

from memfit.device import find_device, this_machine
from memfit.device.boards import BOARDS
from memfit.device.meminfo import parse_meminfo
from memfit.device.process import read_process
from memfit.device.processor import parse_instructions
from memfit.errors import NeedsRoot, ProbeError, UnknownName, UsageError
from memfit.host import LocalHost
from memfit.units import GIB, KIB


def machine(root: Path, **files: str) -> LocalHost:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return LocalHost(root)


MEMINFO = "MemTotal:        7802736 kB\nMemFree:  3668508 kB\nMemAvailable:    6245596 kB\nHugePages_Total:  0\n"


def test_this_machine_offers_what_linux_calls_available(tmp_path: Path) -> None:
    host = machine(tmp_path, proc__meminfo=MEMINFO, proc__cpuinfo="Features\t: fp asimd asimddp\n")
    device = this_machine(host)
    assert device.capacity_bytes == 6245596 * KIB
    assert device.os_bytes == (7802736 - 6245596) * KIB
    assert device.instructions == ("neon", "dotprod")
    assert not device.unified


def test_a_tegra_is_unified(tmp_path: Path) -> None:
    compatible = "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0"
    host = machine(tmp_path, proc__meminfo=MEMINFO, **{"proc__device-tree__compatible": compatible})
    assert this_machine(host).unified


def test_a_machine_that_cannot_be_read_can_still_be_stated(tmp_path: Path) -> None:
    with pytest.raises(ProbeError):
        find_device(host=LocalHost(tmp_path))
    stated = find_device(memory_bytes=4 * GIB, host=LocalHost(tmp_path))
    assert (stated.capacity_bytes, stated.grade) == (4 * GIB, "stated")


def test_an_old_kernel_without_memavailable_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="MemAvailable"):
        this_machine(machine(tmp_path, proc__meminfo="MemTotal: 1 kB\n"))


@pytest.mark.parametrize("name", ["Orin Nano 8GB", "orin-nano-8gb", "jetson orin nano", "ORIN_NANO_8GB"])
def test_a_board_by_any_of_its_names(name: str) -> None:
    device = find_device(name)
    assert device.name == "Orin Nano 8GB"
    assert device.capacity_bytes == 6245596 * KIB
    assert device.unified


def test_a_typo_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="orin-nona") as refused:
        find_device("orin-nona")
    assert "orin_nano_8gb" in str(refused.value.hint)


def test_stated_memory_overrides_a_board_and_nothing_is_refused() -> None:
    assert find_device("orin-nano-8gb", memory_bytes=2 * GIB).capacity_bytes == 2 * GIB
    with pytest.raises(UsageError):
        find_device(memory_bytes=0)


def test_meminfo_lines_of_other_shapes_are_left_out() -> None:
    assert parse_meminfo("A: 3 kB\nB: 7\nnonsense\nC: x kB\n") == {"A": 3 * KIB}


def test_the_meminfo_of_a_real_board() -> None:
    log = Path(__file__).parents[3] / "shared/data/devices/meminfo/orin-nano-8gb_r36.4_jp6.1_meminfo.txt"
    if not log.is_file():
        pytest.skip("the device logs are not beside this checkout")
    total = BOARDS.get("orin_nano_8gb").total_bytes
    assert total is not None
    assert parse_meminfo(log.read_text())["MemTotal"] == total.value


def test_x86_flags() -> None:
    assert parse_instructions("flags\t: fpu avx avx2 avx512f\nflags: none") == ("avx", "avx2", "avx512")
    assert parse_instructions("nothing here") == ()


def test_a_process_and_one_that_is_not_there(tmp_path: Path) -> None:
    rollup = "0-7ff ---p 0 [rollup]\nRss: 300 kB\nPss: 200 kB\nPss_File: 50 kB\nAnonymous: 150 kB\nSwapPss: 8 kB\n"
    host = machine(
        tmp_path,
        proc__7__cmdline="llama-server\0-m\0m.gguf\0",
        proc__7__smaps_rollup=rollup,
        proc__7__status="VmHWM: 400 kB\n",
    )
    process = read_process(7, host)
    assert process.command == ("llama-server", "-m", "m.gguf")
    assert (process.pss_bytes, process.file_bytes, process.swapped_bytes) == (200 * KIB, 50 * KIB, 8 * KIB)
    assert process.peak_bytes == 400 * KIB
    with pytest.raises(ProbeError, match="no process 8"):
        read_process(8, host)


def test_what_only_root_may_read_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*rest: object, **more: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(NeedsRoot) as refused:
        LocalHost(tmp_path).read_bytes("/proc/1/smaps_rollup")
    assert "sudo" in str(refused.value.hint)
