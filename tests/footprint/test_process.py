from pathlib import Path

from memfit.device import find_device
from memfit.footprint.estimate import estimate
from memfit.footprint.process import command_of, compare
from memfit.host import LocalHost
from memfit.units import GIB, KIB


def host(root: Path) -> LocalHost:
    folder = root / "proc" / "7"
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"llama-server\0-m\0m.gguf\0")
    (folder / "smaps_rollup").write_text(
        "0-7 ---p 0 [rollup]\nPss: 300000 kB\nPss_File: 1000 kB\nAnonymous: 299000 kB\nSwapPss: 1000 kB\n"
    )
    (folder / "status").write_text("VmHWM: 310000 kB\n")
    return LocalHost(root)


def test_the_residual_is_observed_less_likely(tmp_path: Path) -> None:
    footprint = estimate("SmolLM2-135M", device=find_device(memory_bytes=GIB), source="formula", relief=False)
    comparison = compare(footprint, 7, host(tmp_path))
    assert comparison.observed_bytes == 301_000 * KIB  # swap is held too
    assert comparison.residual_bytes == 301_000 * KIB - footprint.likely_bytes
    assert comparison.residual_ratio == round(comparison.residual_bytes / footprint.likely_bytes, 4)


def test_a_process_on_this_machine_is_judged_with_its_own_memory_given_back(tmp_path: Path) -> None:
    footprint = estimate("SmolLM2-135M", device=find_device(), source="formula", relief=False)
    comparison = compare(footprint, 7, host(tmp_path))
    assert comparison.footprint.capacity_bytes == footprint.capacity_bytes + 299_000 * KIB


def test_the_command_of_a_process(tmp_path: Path) -> None:
    words = command_of(7, host(tmp_path))
    assert words[0] == "llama-server"
    assert words[2].endswith("m.gguf")
