"""The ledgers of engines that are only sized: their law, and the figures that makers publish."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.device import Device, find_device
from memfit.engine import Ledger, Models
from memfit.engine.records import TERM_NAMES, Deployment, Options
from memfit.engine.runtimes import ENGINES
from memfit.errors import UnknownArchitecture, UsageError
from memfit.model import ModelShape, find_model
from memfit.model.schemes import in_scheme
from memfit.units import GIB, MIB

ORIN = find_device("orin-nano-8gb")
BIG = find_device("agx-orin-64gb")
SIZED = [key for key, engine in ENGINES.items() if engine.only_sized]
CHECKPOINTS = [key for key in SIZED if ENGINES.get(key).reads == "checkpoints"]
MODELS = ("Llama-3.2-1B", "gemma-3-4b", "Mamba-130M", "DeepSeek-V2-Lite", "gpt-oss-20b", "Qwen3-Next-80B-A3B")
# of each engine a format that divides every row of those models
EASY = {"executorch": "bf16", "mlc": "fp16", "ctranslate2": "ct2_int8", "onnxruntime": "fp32"}


@cache
def shape_of(model: str, format: str) -> ModelShape:
    return in_scheme(find_model(model, format="F16"), format)


def ledger(engine: str, model: str = "Llama-3.2-1B", format: str | None = None, **changes: object) -> Ledger:
    runtime = ENGINES.get(engine)
    device = changes.pop("device", BIG)
    assert isinstance(device, Device)
    options = msgspec.structs.replace(runtime.profiles["server"], **changes)
    if runtime.reads == "gguf":
        shape = find_model(model, format=format or "Q4_K_M")
    else:
        shape = shape_of(model, format or EASY.get(engine, runtime.default_format))
        format = format or EASY.get(engine)
    deployment = Deployment(model=model, engine=engine, options=options, format=format)
    return runtime.ledger(Models(model=shape), deployment, device, "server", "formula")


def total(found: Ledger, bound: str = "high") -> int:
    return sum(getattr(term, f"{bound}_bytes") for term in found.terms)


def of(found: Ledger, name: str) -> int:
    return sum(term.high_bytes for term in found.terms if term.name == name)


def test_the_ten_engines_are_there() -> None:
    assert set(SIZED) == {
        *("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "ollama"),
        *("mlc", "executorch", "onnxruntime", "ctranslate2", "pytorch"),
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("engine", SIZED)
def test_every_ledger_keeps_the_law(engine: str, model: str) -> None:
    found = ledger(engine, model)
    assert found.engine
    assert len({term.name for term in found.terms}) == len(found.terms)
    for term in found.terms:
        assert term.name in TERM_NAMES
        assert 0 <= term.low_bytes <= term.likely_bytes <= term.high_bytes, term
        assert 0 <= term.working_set_bytes <= term.evictable_bytes <= term.high_bytes
        assert term.formula
        # what nobody measured has bounds that say so
        if term.source == "default" and term.name != "peak_headroom":
            assert term.low_bytes < term.likely_bytes < term.high_bytes, term
            assert term.error
    assert "weights" in {term.name for term in found.terms}
    assert "runtime" in {term.name for term in found.terms}


@pytest.mark.parametrize("engine", SIZED)
@given(
    context=st.integers(1, 131072),
    slots=st.integers(1, 64),
    more=st.integers(0, 4096),
    further=st.integers(0, 8),
    model=st.sampled_from(["Llama-3.2-1B", "gemma-3-4b", "Mamba-130M"]),
)
@settings(max_examples=25, deadline=None)
def test_more_context_and_more_requests_never_take_less(
    engine: str, context: int, slots: int, more: int, further: int, model: str
) -> None:
    small = ledger(engine, model, context_tokens=context, slots=slots)
    for bound in ("low", "likely", "high"):
        longer = ledger(engine, model, context_tokens=context + more, slots=slots)
        wider = ledger(engine, model, context_tokens=context, slots=slots + further)
        assert total(longer, bound) >= total(small, bound)
        assert total(wider, bound) >= total(small, bound)


@pytest.mark.parametrize("engine", CHECKPOINTS)
def test_weights_are_those_of_the_checkpoint(engine: str) -> None:
    found = ledger(engine)
    shape = shape_of("Llama-3.2-1B", EASY.get(engine, ENGINES.get(engine).default_format))
    assert of(found, "weights") == shape.weights_bytes


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm"])
def test_a_full_cache_is_k_and_v_of_every_token(engine: str) -> None:
    # Llama-3.2-1B: 16 layers, 8 heads of 64 numbers, K and V, 2 bytes
    found = ledger(engine, context_tokens=4096, slots=3)
    assert of(found, "kv_cache") == 16 * 8 * 64 * 2 * 2 * 4096 * 3


def test_vllm_pages_are_whole() -> None:
    assert of(ledger("vllm", context_tokens=17), "kv_cache") == of(ledger("vllm", context_tokens=32), "kv_cache")
    assert of(ledger("vllm", context_tokens=33), "kv_cache") > of(ledger("vllm", context_tokens=32), "kv_cache")


def test_a_window_bounds_what_its_layers_keep() -> None:
    near, far = (of(ledger("vllm", "gemma-3-4b", context_tokens=size), "kv_cache") for size in (65536, 131072))
    layers = shape_of("gemma-3-4b", "bf16").trunk
    full = sum(layer.key_elements + layer.value_elements for layer in layers if layer.attention == "full")
    assert far - near == full * 2 * 65536


def test_latent_attention_keeps_one_row() -> None:
    found = ledger("vllm", "DeepSeek-V2-Lite", context_tokens=4096)
    assert of(found, "kv_cache") == 27 * (512 + 64) * 2 * 4096


def test_vllm_takes_the_share_that_is_stated_and_says_the_least() -> None:
    least = ledger("vllm", device=ORIN)
    shared = ledger("vllm", device=ORIN, memory_fraction=0.6)
    assert ORIN.total_bytes is not None
    inside = sum(of(shared, name) for name in ("weights", "kv_cache", "compute_buffers"))
    assert inside == pytest.approx(0.6 * ORIN.total_bytes, abs=1)
    assert of(shared, "kv_cache") > of(least, "kv_cache")
    (word,) = [warning for warning in least.warnings if "--gpu-memory-utilization" in warning]
    assert "0.92" in word
    assert "refuses to start" in word, "0.92 of the memory is more than is free on an 8 GB board"


def test_a_share_that_is_too_small_is_said() -> None:
    (word,) = [one for one in ledger("vllm", device=ORIN, memory_fraction=0.1).warnings if "utilization" in one]
    assert "too little" in word
    (none,) = [one for one in ledger("sglang", "gpt-oss-20b", "mxfp4", device=ORIN).warnings if "static" in one]
    assert none.startswith("no --mem-fraction-static serves this")


def test_the_least_share_serves_and_a_hundredth_less_does_not() -> None:
    import re

    (word,) = [one for one in ledger("vllm", device=ORIN).warnings if "utilization" in one]
    match = re.search(r"utilization (\d\.\d\d) is the least", word)
    assert match is not None
    least = float(match.group(1))
    enough = ledger("vllm", device=ORIN, memory_fraction=least)
    assert not any("too little" in one for one in enough.warnings)
    short = ledger("vllm", device=ORIN, memory_fraction=round(least - 0.01, 2))
    assert any("too little" in one for one in short.warnings)


def test_sglang_keeps_its_reserve_out_of_the_share_by_default() -> None:
    """512 + 1.5 × 2048 + 2 × 8 + 128 MiB below 20 GB, of 7620 MiB: 0.511."""
    (word,) = [one for one in ledger("sglang", device=ORIN).warnings if "static" in one]
    assert "its default 0.51" in word


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_graphs_can_be_left_out(engine: str) -> None:
    assert of(ledger(engine), "cuda_graphs")
    assert not of(ledger(engine, cuda_graphs=False), "cuda_graphs")


def test_tensorrt_llm_meets_its_published_total() -> None:
    """README4Jetson.md @ 20a7cec9: Llama-3-8B INT4 GPTQ, AGX Orin, 6.8 GB on the GPU's side and 7.3 GB in all."""
    found = ledger("tensorrt_llm", "Llama-3-8B", "gptq", context_tokens=512)
    assert total(found, "low") <= 7.3e9 <= total(found, "high")
    assert total(found, "likely") == pytest.approx(7.3e9, rel=0.05)
    # without mmap the file stays in memory beside the engine: 12.3 GB
    copied = ledger("tensorrt_llm", "Llama-3-8B", "gptq", context_tokens=512, load_mode="none")
    assert total(copied, "likely") == pytest.approx(12.3e9, rel=0.06)


@pytest.mark.parametrize("engine", ["tensorrt_llm", "tensorrt_edge_llm"])
def test_the_builder_is_said_apart(engine: str) -> None:
    found = ledger(engine)
    (word,) = [warning for warning in found.warnings if warning.startswith("building the engine takes")]
    assert "3 to 4 times" in word
    assert total(found) < 3 * of(found, "weights")


def test_mlc_prints_the_same_three_figures() -> None:
    """Its start with Llama-3-8B q4f16_1 and a context of 8192, a chunk of 1024 (a log of 2024-05)."""
    found = ledger("mlc", "Llama-3-8B", "q4f16_1", context_tokens=8192)
    figures = [round(of(found, name) / MIB, 3) for name in ("weights", "kv_cache", "compute_buffers")]
    assert figures == [4308.133, 1092.268, 335.925]


@pytest.mark.parametrize(
    ("model", "format", "resident_mib"),
    [
        ("Llama-3.2-1B", "bf16", 3185),
        ("Llama-3.2-1B", "8da4w", 1921),
        ("Llama-3.2-3B", "bf16", 7419),
        ("Llama-3.2-3B", "8da4w", 3726),
    ],
)
def test_executorch_meets_its_published_sizes(model: str, format: str, resident_mib: int) -> None:
    """ExecuTorch examples/models/llama/README.md @ 00748569: RSS with a context of 2048."""
    found = ledger("executorch", model, format)
    assert total(found, "likely") / MIB == pytest.approx(resident_mib, rel=0.01)
    assert total(found, "low") / MIB < resident_mib < total(found, "high") / MIB


def test_whisper_keeps_the_encoders_keys_once_and_its_own_for_every_beam() -> None:
    shape = msgspec.structs.replace(shape_of("Llama-3.2-1B", "ct2_int8"), architecture="whisper", kind="speech")
    shape = msgspec.structs.replace(shape, context_trained_tokens=448)
    runtime = ENGINES.get("ctranslate2")
    deployment = Deployment(model="m", engine="ctranslate2", options=runtime.profiles["server"])
    (term,) = [
        term
        for term in runtime.ledger(Models(model=shape), deployment, BIG, "server", "formula").terms
        if term.name == "kv_cache"
    ]
    token = 16 * 8 * 64 * 2 * 4  # layers, heads, length, K and V, F32
    assert term.high_bytes == token * (1500 + 5 * 448)
    assert term.low_bytes == token * (1500 + 448 // 4)


def test_attention_that_is_not_fused_holds_its_scores() -> None:
    """Llama-3-8B, 4096 tokens: 32 heads × 4096² in 16 bits are the 1 GB of 'The Memory Budget' section 5."""
    fused, apart = (
        of(ledger("pytorch", "Llama-3-8B", context_tokens=4096, flash_attention=flash), "compute_buffers")
        for flash in (True, False)
    )
    assert apart - fused == 32 * 4096**2 * (2 + 4)


def test_ollama_takes_its_context_by_the_memory_and_for_each_request() -> None:
    small = ledger("ollama", device=ORIN)
    assert any("num_ctx 4k" in warning for warning in small.warnings)
    assert any("num_ctx 128k" in warning for warning in ledger("ollama", device=BIG).warnings), "256k, as trained"
    one, three = (of(ledger("ollama", context_tokens=4096, slots=slots), "kv_cache") for slots in (1, 3))
    assert three == 3 * one


def test_ollama_is_llama_cpp_and_a_server_beside_it() -> None:
    llama = ENGINES.get("llama_cpp")
    options = msgspec.structs.replace(ENGINES.get("ollama").profiles["server"], context_tokens=4096)
    deployment = Deployment(model="m", options=options)
    shape = find_model("Llama-3.2-1B", format="Q4_K_M")
    below = llama.ledger(Models(model=shape), deployment, BIG, "server", "formula")
    found = ledger("ollama", context_tokens=4096)
    assert of(found, "weights") == of(below, "weights")
    assert of(found, "compute_buffers") == of(below, "compute_buffers")
    assert of(found, "runtime") - of(below, "runtime") == 150 * MIB
    assert found.engine.startswith("Ollama on llama.cpp")


# bad input


@pytest.mark.parametrize("engine", CHECKPOINTS)
def test_what_an_engine_does_not_have_is_refused(engine: str) -> None:
    with pytest.raises(UsageError, match="no KV cache in Q4_0"):
        ledger(engine, kv_type_k="Q4_0", kv_type_v="Q4_0")
    with pytest.raises(UsageError, match="one format for K and V"):
        ledger(engine, kv_type_k="F16", kv_type_v="Q8_0")
    with pytest.raises(UsageError, match="is no share"):
        ledger(engine, memory_fraction=1.5)
    with pytest.raises(UsageError, match="have to be positive"):
        ledger(engine, slots=0)
    runtime = ENGINES.get(engine)
    models = Models(model=shape_of("Llama-3.2-1B", EASY.get(engine, runtime.default_format)))
    plain = Deployment(model="m", engine=engine, options=runtime.profiles["server"], format=EASY.get(engine))
    for asked in ("engine", "both"):
        with pytest.raises(UsageError, match="memfit does not ask"):
            runtime.ledger(models, plain, BIG, "server", asked)
    with pytest.raises(UsageError, match="--draft"):
        runtime.ledger(models, msgspec.structs.replace(plain, draft="x"), BIG, "server", "formula")
    bare = Models(model=msgspec.structs.replace(models.model, layers=()))
    with pytest.raises(UnknownArchitecture):
        runtime.ledger(bare, plain, BIG, "server", "formula")


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc"])
def test_an_engine_of_cuda_alone_says_so(engine: str) -> None:
    with pytest.raises(UsageError, match="on cuda only, not on cpu"):
        ledger(engine, backend="cpu")


def test_a_format_that_the_chip_cannot_run_is_refused_with_those_it_can() -> None:
    with pytest.raises(UsageError, match=r"cannot run FP8 here: needs compute capability 8\.9") as caught:
        ledger("tensorrt_edge_llm", format="fp8", device=ORIN)
    assert "awq" in (caught.value.hint or "")
    assert "nvfp4" not in (caught.value.hint or "")


def test_weight_only_is_said() -> None:
    assert any("FP8 is weight-only here" in word for word in ledger("vllm", format="fp8", device=ORIN).warnings)
    thor = find_device("thor-t5000")
    assert not any("weight-only" in word for word in ledger("vllm", format="fp8", device=thor).warnings)


def test_a_gpu_that_is_not_known_is_said() -> None:
    unknown = msgspec.structs.replace(ORIN, gpu=None)
    assert any("compute capability" in word for word in ledger("vllm", format="fp8", device=unknown).warnings)


def test_a_files_own_formats_are_looked_at() -> None:
    from memfit.model.shape import Shard, Tensor

    shape = shape_of("Llama-3.2-1B", "bf16")
    runtime = ENGINES.get("tensorrt_llm")
    deployment = Deployment(model="m", engine="tensorrt_llm", options=runtime.profiles["server"])
    folder = msgspec.structs.replace(shape, shards=(Shard("m/model.safetensors", 1, 0),))
    assert runtime.ledger(Models(model=folder), deployment, BIG, "server", "formula").terms
    packed = (Tensor("blk.0.attn_q.qweight", (64, 8), "I32", 2048), *folder.tensors)
    strange = msgspec.structs.replace(folder, tensors=packed)
    assert runtime.ledger(Models(model=strange), deployment, BIG, "server", "formula").terms
    tensors = tuple(Tensor(one.name, one.dims, "Q4_K", one.bytes) for one in shape.tensors)
    file = msgspec.structs.replace(shape, tensors=tensors, shards=(Shard("m/model.gguf", 1, 0),))
    with pytest.raises(UsageError, match="reads no GGUF file"):
        runtime.ledger(Models(model=file), deployment, BIG, "server", "formula")


def test_an_fp8_cache_needs_arithmetic_for_it_where_engines_are_compiled() -> None:
    with pytest.raises(UsageError, match=r"needs compute capability 8\.9 for an FP8 KV cache"):
        ledger("tensorrt_llm", device=ORIN, kv_type_k="FP8", kv_type_v="FP8")
    half = ledger("vllm", device=ORIN, kv_type_k="FP8", kv_type_v="FP8", context_tokens=4096)
    assert any("no source says whether vLLM keeps an FP8 KV cache" in word for word in half.warnings)
    assert 2 * of(half, "kv_cache") == of(ledger("vllm", device=ORIN, context_tokens=4096), "kv_cache")


@pytest.mark.parametrize("engine", SIZED)
def test_nothing_starts_an_engine_that_is_only_sized(engine: str) -> None:
    runtime = ENGINES.get(engine)
    for start in (runtime.start, runtime.serve):
        with pytest.raises(UsageError, match=f"memfit sizes {runtime.name} and does not start it"):
            start(None, None, None)  # type: ignore[arg-type]
    assert runtime.read_command(("serve", "model"), None) is None
    assert runtime.installed_version() == ""


def test_the_defaults_differ_from_llama_cpp_only_where_the_engine_does() -> None:
    for engine in CHECKPOINTS:
        options = ENGINES.get(engine).profiles["library"]
        assert options.memory_fraction is None
        assert options.slots == 1
        assert options.context_tokens <= 4096
    assert Options().cuda_graphs
    assert BIG.capacity_bytes > 40 * GIB
