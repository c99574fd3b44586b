import subprocess
import sys
from pathlib import Path

import pytest

import memfit
from memfit.errors import UsageError


def test_every_public_name_is_there() -> None:
    assert sorted(set(memfit.__all__)) == memfit.__all__
    for name in memfit.__all__:
        assert getattr(memfit, name) is not None
    assert set(memfit.__all__) <= set(dir(memfit))


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        memfit.estimat  # noqa: B018


def test_the_import_itself_brings_nothing() -> None:
    script = (
        "import sys, memfit; sys.exit(any(name.startswith(('memfit.', 'msgspec', 'click')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_example_of_the_docstring() -> None:
    board = memfit.find_device("orin-nano-8gb")
    footprint = memfit.estimate("Llama-3.2-1B", device=board, source="formula", relief=False)
    assert isinstance(footprint, memfit.Footprint)
    assert footprint.verdict == "fits"
    assert "fits" in str(memfit.render.render(footprint))


def test_a_pasted_command_and_a_recipe(tmp_path: Path) -> None:
    command = memfit.read_command("llama-server -m SmolLM2-135M -c 8192 -ctk q8_0")
    assert (command.profile, command.deployment.options.context_tokens) == ("server", 8192)
    assert command == memfit.read_command(["llama-server", "-m", "SmolLM2-135M", "-c", "8192", "-ctk", "q8_0"])
    footprint = memfit.estimate_deployment(
        command.deployment, profile=command.profile, device=memfit.find_device("orin-nano-8gb"), source="formula"
    )
    assert footprint.relief
    recipe = tmp_path / "Modelfile"
    recipe.write_text("FROM SmolLM2-135M\nPARAMETER num_ctx 2048\n")
    assert memfit.read_modelfile(recipe).deployment.options.context_tokens == 2048
    for words in ("vllm serve", "llama-server 'open", ""):
        with pytest.raises(UsageError):
            memfit.read_command(words)
    with pytest.raises(UsageError, match="no Modelfile"):
        memfit.read_modelfile(tmp_path)
