from pathlib import Path

import pytest

from memfit.engine._llama_cpp.modelfile import is_modelfile, parse_modelfile
from memfit.engine.records import Options, Profile
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


@pytest.mark.parametrize("text", ["PARAMETER num_ctx 1\n", "FROM x\nPARAMETER num_ctx lots\n"])
def test_what_is_missing_or_no_number_is_named(tmp_path: Path, text: str) -> None:
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text(text)
    with pytest.raises(UsageError, match="Modelfile"):
        parse_modelfile(modelfile, PROFILES)


def test_other_files_are_no_modelfiles(tmp_path: Path) -> None:
    binary = tmp_path / "model.gguf"
    binary.write_bytes(b"GGUF\xff\xfe" * 100)
    assert not is_modelfile(binary)
    assert not is_modelfile(tmp_path / "absent")
    assert not is_modelfile(tmp_path)
