import pytest

from memfit.engine._llama_cpp.command import is_command, parse_command
from memfit.engine.records import Options, Profile
from memfit.engine.runtimes.llama_cpp import LIBRARY, SERVER
from memfit.errors import UsageError
from memfit.units import MIB

PROFILES: dict[Profile, Options] = {"library": LIBRARY, "server": SERVER}


def test_a_server_command_with_its_own_defaults() -> None:
    command = parse_command("/usr/bin/llama-server -m m.gguf --port 80 --jinja".split(), PROFILES)
    options = command.deployment.options
    assert command.profile == "server"
    assert command.deployment.model == "m.gguf"
    assert (options.slots, options.unified_kv, options.output_rows) == (4, True, 4)
    assert options.cache_ram_bytes == 8192 * MIB
    assert options.context_tokens == 0
    assert command.warnings == ()


def test_every_option_that_takes_memory_is_read() -> None:
    words = (
        "llama-server -m m.gguf -c 8192 -b 1024 -ub 256 -np 2 -ctk q8_0 -ctv q4_0 -fa off -t 6 -cram 512 -ctxcp 4"
        " --no-mmap --no-repack --swa-full -md d.gguf -mm p.gguf --lora a.gguf,b.gguf"
    ).split()
    deployment = parse_command(words, PROFILES).deployment
    assert deployment.options == Options(
        context_tokens=8192,
        batch_tokens=1024,
        ubatch_tokens=256,
        slots=2,
        unified_kv=False,
        kv_type_k="Q8_0",
        kv_type_v="Q4_0",
        flash_attention=False,
        threads=6,
        cache_ram_bytes=512 * MIB,
        checkpoints=4,
        load_mode="none",
        repack=False,
        full_window_cache=True,
        output_rows=2,
    )
    assert (deployment.draft, deployment.projector) == ("d.gguf", "p.gguf")
    assert deployment.adapters == ("a.gguf", "b.gguf")


def test_values_may_be_joined_by_an_equals_sign() -> None:
    assert (
        parse_command(["llama-cli", "--model=m.gguf", "--ctx-size=512"], PROFILES).deployment.options.context_tokens
        == 512
    )


@pytest.mark.parametrize(("value", "backend", "layers"), [("99", "cuda", 99), ("all", "cuda", -1), ("0", "cpu", 0)])
def test_gpu_layers_choose_the_backend(value: str, backend: str, layers: int) -> None:
    options = parse_command(["llama-cli", "-m", "m.gguf", "-ngl", value], PROFILES).deployment.options
    assert (options.backend, options.gpu_layers) == (backend, layers)


def test_a_stated_number_of_slots_gets_a_buffer_each_unless_it_says_otherwise() -> None:
    split = parse_command("llama-server -m m -np 4".split(), PROFILES).deployment.options
    shared = parse_command("llama-server -m m -np 4 -kvu".split(), PROFILES).deployment.options
    auto = parse_command("llama-server -m m -np -1".split(), PROFILES).deployment.options
    assert (split.unified_kv, shared.unified_kv, auto.unified_kv) == (False, True, True)
    assert auto.slots == 4


def test_an_unknown_option_is_named_and_not_dropped_in_silence() -> None:
    command = parse_command("llama-server -m m.gguf --brand-new-cache 4".split(), PROFILES)
    assert any("--brand-new-cache" in warning for warning in command.warnings)


@pytest.mark.parametrize(
    "words",
    [
        ["llama-server"],
        ["llama-server", "-m"],
        ["llama-server", "-m", "m", "-c", "many"],
        ["llama-server", "-hf", "org/repo"],
        ["vllm", "serve", "x"],
        [],
    ],
)
def test_what_cannot_be_read_is_refused_with_a_hint(words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        parse_command(words, PROFILES)
    assert refused.value.hint


def test_a_path_is_not_a_command() -> None:
    assert not is_command(["model.gguf"])
    assert is_command(["./build/bin/llama-server", "-m", "x"])
