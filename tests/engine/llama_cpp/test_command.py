import pytest

from memfit.engine._llama_cpp.command import is_command, parse_command
from memfit.engine._llama_cpp.effects import KEYS, RENAMED, UNCOUNTED
from memfit.engine._llama_cpp.flags import SWITCHES, VALUED
from memfit.engine.records import Command, Options, Profile
from memfit.engine.runtimes.llama_cpp import LIBRARY, SERVER
from memfit.errors import UnknownName, UsageError
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


def read(words: str, profile: Profile | None = None) -> Command:
    return parse_command(f"llama-server -m m.gguf {words}".split(), PROFILES, profile)


def options(words: str, profile: Profile | None = None) -> Options:
    return read(words, profile).deployment.options


def warned(words: str, said: str, profile: Profile | None = None) -> bool:
    return any(said in warning for warning in read(words, profile).warnings)


def test_values_may_be_joined_by_an_equals_sign_though_llama_cpp_refuses_that() -> None:
    assert options("--ctx-size=512").context_tokens == 512
    assert warned("--ctx-size=512", "--ctx-size 512")


def test_underscores_in_long_options_are_dashes() -> None:
    assert options("--ctx_size 512").context_tokens == 512


def test_embeddings_put_out_every_token() -> None:
    # llama-server 0c1e57098 lowers the batch to the ubatch and reserves 512 rows of logits
    given = options("--embedding")
    assert (given.output_rows, given.batch_tokens, given.ubatch_tokens) == (0, 512, 512)
    assert options("--rerank -ub 128").batch_tokens == 128
    pooled = options("--pooling mean")
    assert (pooled.output_rows, pooled.batch_tokens) == (0, 2048)
    assert options("--pooling none").output_rows == 4
    assert given.embeddings
    assert not options("--pooling none").embeddings
    assert warned("--pooling rank", "ranking")


@pytest.mark.parametrize(
    ("words", "rows"),  # n_outputs_max as llama-server 0c1e57098 printed it
    [
        ("--spec-type ngram-simple", 196),
        ("--spec-default", 260),
        ("--spec-type ngram-simple --spec-ngram-simple-size-m 10 -np 2", 22),
        ("--spec-type ngram-cache,draft-simple -np 1", 9),
        ("--spec-type ngram-simple -b 64", 64),
    ],
)
def test_speculation_reserves_rows_for_what_it_proposes(words: str, rows: int) -> None:
    assert options(words).output_rows == rows


def test_speculation_with_heads_keeps_snapshots_of_state() -> None:
    assert options("--spec-type draft-mtp --spec-draft-n-max 5").rollback_tokens == 5
    assert options("--spec-type draft-simple").rollback_tokens == 0
    assert warned("--spec-type draft-mtp", "second context")
    with pytest.raises(UsageError, match="ngram-simpel"):
        read("--spec-type ngram-simpel")


def test_a_context_a_slot_sizes_the_cache_unless_a_context_is_stated() -> None:
    assert options("--kv-unified-per-slot 1024 -np 2").context_tokens == 2048
    assert options("--kv-unified-per-slot 1024").context_tokens == 4096
    assert options("--kv-unified-per-slot 1024 -np 2 -c 0").context_tokens == 0


def test_scaled_adapters_are_adapters() -> None:
    assert read("--lora a.gguf --lora-scaled b.gguf:0.5,c.gguf:2").deployment.adapters == ("a.gguf", "b.gguf", "c.gguf")
    with pytest.raises(UsageError, match="SCALE"):
        read("--lora-scaled b.gguf")


@pytest.mark.parametrize(
    "words",
    "-ctkd q8_0|-ctvd q4_0|--mtp|-ncmoe 4|-ot exps=CPU|-ngld 99|-nkvo|--control-vector v.gguf|--mmproj-url http://x"
    "|--image-max-tokens 4096|-mmdev none|-lcs file|--models-dir d|--attention non-causal|-sm row|-cmoe".split("|"),
)
def test_what_takes_memory_and_is_not_counted_is_named(words: str) -> None:
    (warning,) = read(words).warnings
    assert warning.startswith(f"{words} changes memory and is not counted: ")


@pytest.mark.parametrize("words", ["-ctkd f16", "--attention causal", "-sm layer", "-lzm auto", "--jinja -n 5"])
def test_what_leaves_memory_as_counted_is_not_warned_of(words: str) -> None:
    assert read(words).warnings == ()


def test_an_option_of_two_values_takes_both() -> None:
    assert read("--control-vector-layer-range 1 8 -c 512").warnings == ()


def test_no_limit_of_saved_prompts_is_bounded_and_said() -> None:
    given = options("-cram -1")
    assert (given.cache_ram_bytes, given.cache_ram_unlimited) == (0, True)
    assert warned("-cram -1", "no limit")
    assert not options("-cram 64").cache_ram_unlimited


@pytest.mark.parametrize(
    ("words", "mode", "locked"),
    [
        ("-lm mmap+mlock", "mmap", True),
        ("-lm mlock", "none", True),
        ("-lm dio", "none", False),
        ("-lm auto", "mmap", False),
        ("--mlock", "mmap", True),
        ("--mlock --no-mmap", "none", True),
        ("--no-mmap", "none", False),
    ],
)
def test_load_modes(words: str, mode: str, locked: bool) -> None:
    given = options(words)
    assert (given.load_mode, given.locked) == (mode, locked)


def test_switches_of_older_releases_are_read_and_said() -> None:
    assert warned("--mlock", "mmap+mlock")
    with pytest.raises(UsageError, match="no such mode"):
        read("-lm fast")


def test_flash_attention_swallows_no_option() -> None:
    given = read("-fa -c 512")
    assert given.deployment.options.context_tokens == 512
    assert given.deployment.options.flash_attention
    assert any("-fa" in warning for warning in given.warnings)
    assert read("-c 512 -fa").deployment.options.flash_attention
    assert not options("-fa off").flash_attention
    assert options("-fa auto -c 512").context_tokens == 512
    with pytest.raises(UsageError, match="on, off or auto"):
        read("-fa maybe")


def test_only_formats_that_llama_cpp_takes_for_a_cache() -> None:
    with pytest.raises(UnknownName, match="q6_k") as refused:
        read("-ctk q6_k")
    assert "q5_" in (refused.value.hint or "")


def test_threads_are_the_most_of_prompt_and_generation() -> None:
    assert options("-t 4 -tb 8").threads == 8
    assert options("-t -1").threads == 0


def test_the_librarys_defaults_leave_out_what_only_the_server_takes() -> None:
    given = options("-cram 512 -c 1024", "library")
    assert (given.cache_ram_bytes, given.checkpoints, given.slots, given.context_tokens) == (0, 0, 1, 1024)
    assert read("", "library").profile == "library"
    assert warned("-cram 512", "library", "library")


@pytest.mark.parametrize(
    ("words", "stated", "backend"),
    [
        ("", False, "cpu"),
        ("-ngl auto", False, "cpu"),
        ("-ngl 0", True, "cpu"),
        ("-ngl 12", True, "cuda"),
        ("-dev none -ngl 99", True, "cpu"),
        ("-dev CUDA0", True, "cuda"),
    ],
)
def test_whether_the_gpu_was_stated(words: str, stated: bool, backend: str) -> None:
    command = read(words)
    assert (command.gpu_stated, command.deployment.options.backend) == (stated, backend)


@pytest.mark.parametrize(
    "words",
    [
        ["sudo", "llama-server", "-m", "m.gguf"],
        ["sudo", "-u", "server", "/opt/llama-server", "-m", "m.gguf"],
        ["env", "A=b", "nohup", "llama-server", "-m", "m.gguf"],
        ["CUDA_VISIBLE_DEVICES=0", "llama-server", "-m", "m.gguf"],
        ["llama-server -m m.gguf"],
        ["sudo llama-server -m m.gguf", "--jinja"],
        ["taskset", "-c", "0-3", "llama-server", "-m", "m.gguf"],
    ],
)
def test_what_stands_before_the_program_is_passed_over(words: list[str]) -> None:
    assert is_command(words)
    assert parse_command(words, PROFILES) == parse_command(["llama-server", "-m", "m.gguf"], PROFILES)


def test_every_flag_with_an_effect_is_cut_in_the_right_place() -> None:
    assert set(UNCOUNTED) <= VALUED | SWITCHES
    assert {flag for flag in KEYS if flag not in RENAMED} <= VALUED | SWITCHES
    assert not VALUED & SWITCHES


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
    assert not is_command(["my model.gguf"])
    assert not is_command(["/models/main files/server.gguf"])
    assert not is_command(["it's -m x"])
    assert is_command(["./build/bin/llama-server", "-m", "x"])
