"""Variables that llama.cpp reads as options, set before a pasted command."""

import pytest

from memfit.engine._llama_cpp.command import parse_command
from memfit.engine._llama_cpp.environment import NAMES
from memfit.engine._llama_cpp.flags import SWITCHES, VALUED
from memfit.engine.records import Options, Profile
from memfit.engine.runtimes.llama_cpp import LIBRARY, SERVER

PROFILES: dict[Profile, Options] = {"library": LIBRARY, "server": SERVER}


def test_variables_of_llama_cpp_are_read_as_options() -> None:
    words = ["LLAMA_ARG_CTX_SIZE=512", "LLAMA_ARG_MODEL=m.gguf", "LLAMA_ARG_SWA_FULL=1", "llama-server", "-np", "2"]
    command = parse_command(words, PROFILES)
    assert command.warnings == ()
    assert command.deployment.model == "m.gguf"
    options = command.deployment.options
    assert (options.context_tokens, options.full_window_cache, options.slots) == (512, True, 2)


def test_the_command_wins_over_variables() -> None:
    words = "LLAMA_ARG_CTX_SIZE=512 LLAMA_ARG_KV_UNIFIED=off llama-server -m m -c 1024 -kvu".split()
    options = parse_command(words, PROFILES).deployment.options
    assert (options.context_tokens, options.unified_kv) == (1024, True)


@pytest.mark.parametrize(
    ("variable", "unified"),
    [("LLAMA_ARG_KV_UNIFIED=0", False), ("LLAMA_ARG_NO_KV_UNIFIED=0", False), ("LLAMA_ARG_KV_UNIFIED=on", True)],
)
def test_a_negative_variable_counts_when_it_is_set_at_all(variable: str, unified: bool) -> None:
    assert parse_command([variable, "llama-server", "-m", "m"], PROFILES).deployment.options.unified_kv is unified


def test_a_variable_that_llama_cpp_refuses_and_one_of_its_backends_are_named() -> None:
    words = ["LLAMA_ARG_REPACK=maybe", "GGML_CUDA_NO_PINNED=1", "LLAMA_ARG_HOST=x", "llama-server", "-m", "m"]
    refused, backend = parse_command(words, PROFILES).warnings
    assert "LLAMA_ARG_REPACK=maybe" in refused
    assert "GGML_CUDA_NO_PINNED" in backend


def test_every_variable_names_an_option_that_is_known() -> None:
    for flag, opposite in NAMES.values():
        assert flag in VALUED | SWITCHES
        assert not opposite or opposite in SWITCHES


@pytest.mark.parametrize("name", ["LLAMA_ARG_MMAP", "LLAMA_ARG_NO_MMAP", "LLAMA_ARG_MLOCK"])
def test_a_variable_of_an_older_release_changes_nothing_and_is_named(name: str) -> None:
    command = parse_command([f"{name}=1", "llama-server", "-m", "m"], PROFILES)
    (warning,) = command.warnings
    assert warning.startswith(name)
    assert "LLAMA_ARG_LOAD_MODE" in warning
    assert command.deployment == parse_command(["llama-server", "-m", "m"], PROFILES).deployment
