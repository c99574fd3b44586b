from pathlib import Path

import pytest

from memfit.engine._llama_cpp.modelfile import is_modelfile, parse_modelfile
from memfit.engine.records import Command, Options, Profile
from memfit.engine.runtimes.llama_cpp import LIBRARY, SERVER
from memfit.errors import UsageError

PROFILES: dict[Profile, Options] = {"library": LIBRARY, "server": SERVER}


def test_from_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text('# mine\nFROM ./m.gguf\nPARAMETER num_ctx 8192\nparameter temperature 0.7\nSYSTEM """hi"""\n')
    assert is_modelfile(modelfile)
    command = parse_modelfile(modelfile, PROFILES)
    assert command.deployment.model == str(tmp_path / "m.gguf")
    assert command.deployment.options.context_tokens == 8192
    assert command.deployment.options.slots == 1


def test_a_registry_name_stays_a_name(tmp_path: Path) -> None:
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text("FROM llama3.2:3b\n")
    assert parse_modelfile(modelfile, PROFILES).deployment.model == "llama3.2:3b"


@pytest.mark.parametrize("text", ["PARAMETER num_ctx 1\n", "FROM\n", "FROM x\nPARAMETER num_ctx lots\n"])
def test_what_is_missing_or_no_number_is_named(tmp_path: Path, text: str) -> None:
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text(text)
    with pytest.raises(UsageError, match="Modelfile"):
        parse_modelfile(modelfile, PROFILES)


def parsed(folder: Path, text: str) -> Command:
    (folder / "Modelfile").write_text(text)
    return parse_modelfile(folder / "Modelfile", PROFILES)


def test_text_in_quotes_is_no_statement(tmp_path: Path) -> None:
    text = 'FROM a\nSYSTEM """You answer\nFROM experience\nPARAMETER num_ctx 1"""\nPARAMETER num_ctx 512\n'
    command = parsed(tmp_path, text)
    assert (command.deployment.model, command.deployment.options.context_tokens) == ("a", 512)
    only_quoted = tmp_path / "prose"
    only_quoted.write_text('SYSTEM """\nFROM b\n"""\n')
    assert not is_modelfile(only_quoted)


def test_tabs_and_quotes(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    command = parsed(tmp_path, 'FROM\t"./m.gguf"\nPARAMETER\tnum_ctx\t"8192"\nMESSAGE user "FROM\nthere"\n')
    assert command.deployment.model == str(tmp_path / "m.gguf")
    assert command.deployment.options.context_tokens == 8192


@pytest.mark.parametrize(
    ("value", "backend", "stated"), [("99", "cuda", True), ("0", "cpu", True), ("-1", "cpu", False)]
)
def test_layers_on_the_gpu_choose_the_backend(tmp_path: Path, value: str, backend: str, stated: bool) -> None:
    command = parsed(tmp_path, f"FROM a\nPARAMETER num_gpu {value}\n")
    assert (command.deployment.options.backend, command.gpu_stated) == (backend, stated)


def test_mapping_and_locking(tmp_path: Path) -> None:
    given = parsed(tmp_path, "FROM a\nPARAMETER use_mmap false\n").deployment.options
    assert (given.load_mode, given.locked) == ("none", False)
    assert parsed(tmp_path, "FROM a\nPARAMETER use_mlock true\n").deployment.options.locked
    with pytest.raises(UsageError, match="use_mmap"):
        parsed(tmp_path, "FROM a\nPARAMETER use_mmap perhaps\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_windows_editors(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "Modelfile").write_text("FROM a\n", encoding=encoding)
    assert is_modelfile(tmp_path / "Modelfile")
    assert parse_modelfile(tmp_path / "Modelfile", PROFILES).deployment.model == "a"


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parsed(tmp_path, "FROM ~/m.gguf\n").deployment.model == str(tmp_path / "m.gguf")


def test_a_further_file_is_named(tmp_path: Path) -> None:
    command = parsed(tmp_path, "FROM a\nFROM mmproj.gguf\n")
    assert command.deployment.model == "a"
    assert "mmproj.gguf" in command.warnings[0]


def test_other_files_are_no_modelfiles(tmp_path: Path) -> None:
    binary = tmp_path / "model.gguf"
    binary.write_bytes(b"GGUF\xff\xfe" * 100)
    assert not is_modelfile(binary)
    assert not is_modelfile(tmp_path / "absent")
    assert not is_modelfile(tmp_path)
