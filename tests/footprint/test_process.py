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


def test_the_command_of_a_process_is_one_for_any_folder(tmp_path: Path) -> None:
    where = host(tmp_path)
    (tmp_path / "proc" / "7" / "cwd").symlink_to("/srv/models")
    assert command_of(7, where) == ("llama-server", "-m", "/srv/models/m.gguf")


def test_every_file_of_a_list_is_one_for_any_folder(tmp_path: Path) -> None:
    where = host(tmp_path)
    folder = tmp_path / "proc" / "7"
    (folder / "cwd").symlink_to("/srv")
    (folder / "cmdline").write_bytes(
        b"llama-server\0--lora\0a.gguf,/b.gguf\0--lora-scaled\0c.gguf:0.5,d.gguf:1\0-a\0x,y"
    )
    assert command_of(7, where) == (
        "llama-server", "--lora", "/srv/a.gguf,/b.gguf", "--lora-scaled", "/srv/c.gguf:0.5,/srv/d.gguf:1", "-a", "x,y",
    )  # fmt: skip


def test_variables_of_a_process_that_the_engine_reads_stand_before_its_command(tmp_path: Path) -> None:
    where = host(tmp_path)
    (tmp_path / "proc" / "7" / "cwd").symlink_to("/srv")
    (tmp_path / "proc" / "7" / "environ").write_bytes(
        b"TOKEN=secret\0LLAMA_ARG_CTX_SIZE=2048\0LLAMA_ARG_MMPROJ=p.gguf\0GGML_X"
    )
    words = command_of(7, where)
    assert words[:2] == ("LLAMA_ARG_CTX_SIZE=2048", "LLAMA_ARG_MMPROJ=/srv/p.gguf")
    assert words[2] == "llama-server"
    assert not any("secret" in word for word in words)


def test_a_folder_that_cannot_be_read_leaves_names_as_they_are(tmp_path: Path) -> None:
    assert command_of(7, host(tmp_path)) == ("llama-server", "-m", "m.gguf")
