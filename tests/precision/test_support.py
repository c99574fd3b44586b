"""What engines do with formats, by compute capability."""

import pytest

from memfit.engine.runtimes import ENGINES
from memfit.precision import FORMATS
from memfit.precision._format import Format
from memfit.precision._support import answer, capability_of
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES, Scheme
from memfit.precision.support import How, engines_of, how

# Nano, TX2, Xavier, Orin, Thor as CUDA 12 and 13 call it, and cards beside them
CAPABILITIES = ("5.3", "6.2", "7.2", "8.6", "8.7", "8.9", "9.0", "10.0", "10.1", "11.0", "12.0")
EVERY: list[tuple[str, Format | Scheme]] = [*FORMATS.items(), *SCHEMES.items()]


@pytest.mark.parametrize(
    ("scheme", "engine", "capability", "expected"),
    [
        # Orin has no arithmetic for FP8 and FP4: vLLM stores weights in them all the same, Edge-LLM refuses
        ("fp8", "vllm", "8.7", "weight-only"),
        ("fp8", "vllm", "11.0", "native"),
        ("fp8", "vllm", "7.2", "unsupported"),
        ("fp8", "tensorrt_edge_llm", "8.7", "unsupported"),
        ("fp8", "tensorrt_edge_llm", "11.0", "native"),
        ("fp8", "tensorrt_llm", "8.7", "unsupported"),
        ("nvfp4", "vllm", "8.7", "weight-only"),
        ("nvfp4", "vllm", "11.0", "native"),
        ("nvfp4", "tensorrt_edge_llm", "8.7", "unsupported"),
        ("nvfp4", "tensorrt_edge_llm", "11.0", "native"),
        ("awq", "vllm", "8.7", "weight-only"),
        ("awq", "vllm", "7.2", "unsupported"),
        ("awq", "tensorrt_edge_llm", "8.7", "weight-only"),
        ("w8a8", "vllm", "8.7", "native"),
        ("bf16", "vllm", "7.2", "weight-only"),
        ("bf16", "vllm", "8.7", "native"),
        ("bf16", "pytorch", "5.3", None),
        ("exl3", "vllm", "8.7", "unsupported"),
        ("awq", "llama_cpp", "8.7", "unsupported"),
        # CTranslate2's table: 6.1 has 8-bit integers, 6.2 (TX2) and 6.0 do not
        ("ct2_int8", "ctranslate2", "6.1", "native"),
        ("ct2_int8", "ctranslate2", "6.2", "weight-only"),
        ("ct2_int8", "ctranslate2", "5.3", "weight-only"),
        ("ct2_int8", "ctranslate2", "8.7", "native"),
        ("ct2_int8", "ctranslate2", None, "native"),
        ("xnnpack_8da4w", "executorch", None, "native"),
        ("xnnpack_8da4w", "executorch", "8.7", "unsupported"),
    ],
)
def test_a_scheme_on_an_engine(scheme: str, engine: str, capability: str | None, expected: How | None) -> None:
    found = how(SCHEMES.get(scheme), engine, capability)
    assert (None if found is None else found.how) == expected


@pytest.mark.parametrize(
    ("name", "engine", "capability", "expected"),
    [
        ("MXFP4", "llama_cpp", "5.3", "weight-only"),
        ("MXFP4", "llama_cpp", "8.7", "weight-only"),
        ("MXFP4", "llama_cpp", "11.0", "weight-only"),
        ("MXFP4", "llama_cpp", "12.0", "native"),
        ("MXFP4", "llama_cpp", None, "weight-only"),
        ("Q4_K", "llama_cpp", "8.7", "weight-only"),
        ("Q8_0", "llama_cpp", "8.7", "native"),
        ("Q8_0", "ollama", "5.3", "weight-only"),
        ("BF16", "llama_cpp", "7.2", "weight-only"),
        ("F16", "llama_cpp", "5.3", "native"),
        ("Q4_K", "vllm", "8.7", "weight-only"),
        ("TQ1_0", "vllm", "8.7", "unsupported"),
        ("Q4_K", "tensorrt_edge_llm", "8.7", "unsupported"),
        ("Q4_K", "pytorch", "8.7", "unsupported"),
        ("I32", "llama_cpp", "8.7", None),
    ],
)
def test_a_format_of_gguf_on_an_engine(name: str, engine: str, capability: str | None, expected: How | None) -> None:
    found = how(FORMATS.get(name), engine, capability)
    assert (None if found is None else found.how) == expected


def test_a_preset_is_as_good_as_the_worst_of_its_formats() -> None:
    for capability, expected in (("8.7", "weight-only"), ("12.0", "native")):
        found = how(PRESETS.get("MXFP4_MOE"), "llama_cpp", capability)
        assert found is not None
        assert found.how == expected
    mixed = how(PRESETS.get("MXFP4_MOE"), "vllm", "8.7")
    assert mixed is not None
    assert mixed.how == "unsupported"
    assert "MXFP4" in mixed.says


@pytest.mark.parametrize("preset", list(PRESETS), ids=lambda preset: preset.name)
@pytest.mark.parametrize("capability", [*CAPABILITIES, None])
def test_llama_cpp_runs_every_preset_everywhere(preset: object, capability: str | None) -> None:
    found = how(preset, "llama_cpp", capability)  # type: ignore[arg-type]
    assert found is not None
    assert found.how != "unsupported"


@pytest.mark.parametrize(("key", "form"), EVERY, ids=[f"{type(form).__name__}-{key}" for key, form in EVERY])
def test_every_answer_names_its_engine_and_its_source(key: str, form: Format | Scheme) -> None:
    for engine in engines_of(form):
        assert engine in ENGINES.keys()  # noqa: SIM118  an alias would do otherwise
        for capability in (*CAPABILITIES, None):
            found = how(form, engine, capability)
            if found is not None:
                assert found.engine == engine
                assert found.source
                assert found.says


@pytest.mark.parametrize(("key", "form"), EVERY, ids=[f"{type(form).__name__}-{key}" for key, form in EVERY])
def test_a_newer_gpu_never_refuses_what_an_older_one_runs(key: str, form: Format | Scheme) -> None:
    for engine in engines_of(form):
        runs = False
        for capability in sorted(CAPABILITIES, key=capability_of):
            found = how(form, engine, capability)
            if found is not None:
                assert not (runs and found.how == "unsupported"), (engine, capability)
                runs = runs or found.how != "unsupported"


def test_thor_is_the_same_gpu_under_both_names() -> None:
    for _, form in EVERY:
        for engine in engines_of(form):
            assert how(form, engine, "10.1") == how(form, engine, "11.0")


def test_an_engine_that_nothing_is_known_of_is_no_refusal() -> None:
    assert how(SCHEMES.get("awq"), "an engine", "8.7") is None
    assert answer((), "8.7") is None


def test_a_refusal_says_what_would_do() -> None:
    found = how(SCHEMES.get("nvfp4"), "tensorrt_edge_llm", "8.7")
    assert found is not None
    assert found.says == "needs compute capability 10.0 or newer, and this GPU has 8.7"


def test_no_capability_is_no_number() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        how(SCHEMES.get("awq"), "vllm", "orin")
