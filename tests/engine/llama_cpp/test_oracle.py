"""What the engine says of models whose figures can be worked out by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from oracle_models import gemma, llama_8b, mamba, needs_engine, small

from memfit.engine._llama_cpp import child
from memfit.engine._llama_cpp.oracle import Described, quantize, reserve, reserve_one
from memfit.engine._llama_cpp.reservation import Refused, Reservation, Reserved
from memfit.engine.records import Options
from memfit.errors import EngineFailed, EngineMissing
from memfit.model.gguf.writer import write_model
from memfit.precision.formats import FORMATS

pytestmark = needs_engine
CHILD_FOLDER = Path(child.__file__).parent / "_child"
PATCHED = """
import sys
sys.path.insert(0, {folder!r})
import run
run.name_packages()
{patch}
run.main()
"""
ALLOCATES = """
from memfit.engine._llama_cpp._child import hollow
hollow.HollowBuffers._default_kinds = lambda self: set()
"""
HIDES_SYMBOLS = """
from memfit.engine._llama_cpp._child import contexts
def refuse(library): raise contexts.Unreadable("symbols hidden")
contexts.Breakdown = refuse
"""


def patched(patch: str) -> list[str]:
    """The child with a change made to it before it starts."""
    return [sys.executable, "-I", "-S", "-c", PATCHED.format(folder=str(CHILD_FOLDER), patch=patch)]


def padded_bytes(model: Described) -> int:
    """Bytes of all tensors, each padded to the CPU's 32."""
    return sum(
        math.ceil(FORMATS.get(format_name).tensor_bytes(dims) / 32) * 32 for _, dims, format_name in model.tensors
    )


def reserved(answer: Reservation) -> list[Reserved]:
    assert all(isinstance(context, Reserved) for context in answer.contexts), answer.contexts
    return [context for context in answer.contexts if isinstance(context, Reserved)]


def test_eight_billion_by_hand() -> None:
    answer = reserve(llama_8b(), [Options(context_tokens=8192, repack=False)])
    (context,) = reserved(answer)
    assert context.precision == "byte"
    assert context.note == ""
    # cells, layers, K and V, heads, numbers a head, F16
    assert context.kv_bytes == 8192 * 32 * 2 * 8 * 128 * 2
    assert context.state_bytes == 0
    assert context.output_bytes == 4 * 128256
    assert [buffer.name for buffer in context.buffers] == ["CPU"]
    assert context.model_bytes == padded_bytes(llama_8b())
    # every row of a ubatch gives logits, and the rows they are made from
    assert context.compute_bytes >= 4 * 128256 * 512
    assert context.flash_attention is True
    assert (context.context_tokens, context.slot_tokens) == (8192, 8192)
    assert (context.batch_tokens, context.ubatch_tokens) == (2048, 512)


def test_the_identity_names_version_build_and_cpu() -> None:
    engine = reserve(small(), [Options()]).engine
    assert engine.package_version
    assert engine.commit
    assert engine.label.startswith("llama.cpp ")
    assert [device.name for device in engine.devices if not device.gpu]
    assert {"avx2", "neon", "repack"} & set(engine.instructions)


def test_many_options_in_one_load_keep_their_order() -> None:
    sizes = [512, 2048, 1024]
    wanted = [Options(context_tokens=size, repack=repack) for size in sizes for repack in (True, False)]
    contexts = reserved(reserve(small("Q4_0"), wanted))
    assert [context.context_tokens for context in contexts] == [512, 512, 2048, 2048, 1024, 1024]
    # without rearranging, the weights of this model lie in one buffer
    assert [len([buffer for buffer in context.buffers if buffer.model_bytes]) for context in contexts][1::2] == [1] * 3
    assert all(context.model_bytes == contexts[0].model_bytes for context in contexts)


def test_separate_slots_are_padded_each() -> None:
    apart, together = reserved(
        reserve(small(), [Options(context_tokens=1000, slots=3, unified_kv=unified) for unified in (False, True)])
    )
    # 1000 → 1024 cells; 1024 / 3 = 341 → 512 a slot
    assert (apart.slot_tokens, apart.context_tokens) == (512, 1536)
    assert (together.slot_tokens, together.context_tokens) == (1024, 1024)
    assert apart.kv_bytes * 2 == together.kv_bytes * 3
    assert apart.output_bytes == together.output_bytes == 4 * 2048 * 3


def test_without_flash_attention_the_graph_keeps_all_scores() -> None:
    with_it, without = reserved(
        reserve(llama_8b(), [Options(context_tokens=8192, flash_attention=on) for on in (True, False)])
    )
    assert (with_it.flash_attention, without.flash_attention) == (True, False)
    # 32 heads × 8192 cells × 512 tokens in F32
    assert without.compute_bytes >= 4 * 32 * 8192 * 512
    assert with_it.work is not None
    assert without.work is not None
    assert without.work.prefill_bytes > 32 * with_it.work.prefill_bytes


def test_a_window_model_has_two_caches() -> None:
    whole, short = reserved(
        reserve(gemma(), [Options(context_tokens=4096, full_window_cache=full) for full in (True, False)])
    )
    row = 2 * 2 * 64 * 2 * 2  # K and V, heads, numbers a head, F16, layers of each kind
    assert {cache.role: cache.bytes for cache in whole.caches} == {"full": 4096 * row, "window": 4096 * row}
    assert {cache.role: cache.bytes for cache in short.caches} == {"full": 4096 * row, "window": (512 + 512) * row}


def test_recurrent_state_is_counted_and_not_taken() -> None:
    answer = reserve(mamba(layers=16, state=1024), [Options(context_tokens=1024, slots=4)])
    (context,) = reserved(answer)
    # layers, slots, F32: convolution of 3 columns over inner size and two groups' states, and inner size × state
    assert context.state_bytes == 16 * 4 * 4 * (3 * (2048 + 2 * 1024) + 2048 * 1024)
    assert context.kv_bytes == 0
    assert not answer.state_allocated
    assert answer.peak_rss_bytes < context.state_bytes // 4


def test_without_hollow_buffers_the_figures_are_the_same() -> None:
    options = [Options(context_tokens=1024, slots=2)]
    plain = reserve(mamba(), options, program=patched(ALLOCATES))
    assert plain.state_allocated
    assert plain.contexts == reserve(mamba(), options).contexts


def test_real_state_beyond_the_limit_is_told() -> None:
    with pytest.raises(EngineFailed, match=r"ran out of the 300\.0 MiB"):
        reserve(
            mamba(layers=16, state=1024),
            [Options(context_tokens=1024, slots=8)],
            memory_bytes=300 * 1024**2,
            program=patched(ALLOCATES),
        )


def test_without_its_symbols_the_log_answers() -> None:
    options = [Options(context_tokens=8192)]
    (exact,) = reserved(reserve(llama_8b(), options))
    (logged,) = reserved(reserve(llama_8b(), options, program=patched(HIDES_SYMBOLS)))
    assert (logged.precision, logged.note) == ("log", "symbols hidden")
    assert abs(logged.compute_bytes - exact.compute_bytes) <= 1024**2 // 200 + 1
    assert logged.kv_bytes == exact.kv_bytes
    assert logged.output_bytes == exact.output_bytes
    assert logged.work is None
    assert logged.flash_attention is None


def test_a_quantized_v_cache_without_flash_attention_is_refused() -> None:
    options = Options(context_tokens=512, kv_type_v="Q8_0", flash_attention=False)
    answer = reserve(small(), [options, Options(context_tokens=512)])
    refused, made = answer.contexts
    assert isinstance(refused, Refused)
    assert "flash_attn" in refused.why
    assert isinstance(made, Reserved)
    with pytest.raises(EngineFailed, match="refuses these options: quantized V cache"):
        reserve_one(small(), options)


def test_a_gpu_that_the_engine_lacks_is_missing() -> None:
    if any(device.gpu for device in reserve(small(), [Options()]).engine.devices):
        pytest.skip("this engine has a GPU backend")
    with pytest.raises(EngineMissing, match="no GPU backend"):
        reserve(small(), [Options(backend="cuda")])


def test_a_model_that_does_not_load_says_why() -> None:
    broken = Described(metadata={**small().metadata, "general.architecture": "no-such"}, tensors=small().tensors)
    with pytest.raises(EngineFailed, match=r"could not load the model: .*no-such") as caught:
        reserve(broken, [Options()])
    assert "no-such" in caught.value.said


def test_an_assertion_of_the_engine_is_a_failure_with_its_log() -> None:
    # eight query heads are not a multiple of three
    broken = dict(small().metadata) | {"llama.attention.head_count_kv": 3}
    with pytest.raises(EngineFailed, match=r"SIGABRT: ggml/src/ggml\.c:\d+: GGML_ASSERT") as caught:
        reserve(Described(metadata=broken), [Options(context_tokens=512)])
    assert "llama_context: n_ctx                 = 512" in caught.value.said


def test_a_file_gives_what_its_description_gives(tmp_path: Path) -> None:
    model = small("Q4_0")
    path = tmp_path / "model.gguf"
    tokens = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": [f"t{index}" for index in range(2048)]}
    write_model(path, {**model.metadata, **tokens}, model.tensors)
    options = [Options(context_tokens=512)]
    assert reserve(path, options).contexts == reserve(model, options).contexts


def test_encoders_have_no_cache() -> None:
    bert = Described(
        metadata={
            "general.architecture": "bert",
            "bert.context_length": 512,
            "bert.embedding_length": 384,
            "bert.block_count": 2,
            "bert.feed_forward_length": 1536,
            "bert.vocab_size": 1000,
            "bert.attention.head_count": 12,
            "bert.attention.layer_norm_epsilon": 1e-12,
            "bert.attention.causal": False,
            "bert.pooling_type": 1,
            "tokenizer.ggml.token_type_count": 2,
        }
    )
    _, context = reserve_one(bert, Options(context_tokens=512), embeddings=True)
    assert context.caches == ()
    assert context.output_bytes == 4 * (1000 + 384)
    assert context.precision == "byte"


def test_quantization_by_hand() -> None:
    model = small("F16")
    answer = quantize(model, 15)  # LLAMA_FTYPE_MOSTLY_Q4_K_M
    formats = {tensor.name: tensor.format for tensor in answer.tensors}
    assert len(formats) == len(model.tensors)
    assert formats["output.weight"] == "q6_K"
    assert formats["blk.1.attn_q.weight"] == "q4_K"
    assert formats["output_norm.weight"] == "f32"
    sizes = {tensor.name: tensor.bytes for tensor in answer.tensors}
    assert sizes["output.weight"] == 2048 * 512 // 256 * 210
    assert sizes["blk.1.attn_q.weight"] == 512 * 512 // 256 * 144
    assert answer.bytes == sum(sizes.values())
    assert answer.fallbacks == 0
    assert not answer.needs_imatrix


def test_quantization_with_overrides_and_importance_matrix() -> None:
    model = small("F16")
    overridden = quantize(model, 15, overrides=[("ffn_down", "Q8_0")])
    formats = {tensor.name: tensor.format for tensor in overridden.tensors}
    assert {formats[f"blk.{index}.ffn_down.weight"] for index in range(3)} == {"q8_0"}
    pure = quantize(model, 15, pure=True)
    assert {tensor.format for tensor in pure.tensors} == {"q4_K", "f32"}
    needy = quantize(model, 24)  # LLAMA_FTYPE_MOSTLY_IQ1_S
    assert needy.needs_imatrix
    assert not quantize(model, 24, imatrix=True).needs_imatrix


def test_the_child_imports_nothing_heavy() -> None:
    job = {"kind": "reserve", "needs_gpu": False, "loads": [], "model": {}, "memory_bytes": 2**30, "time_s": 60}
    job |= {"library": str(child.package_folder()), "search": [path for path in sys.path if path]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(CHILD_FOLDER / "run.py")],
        input=json.dumps(job).encode(),
        capture_output=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}
    assert "llama_cpp._ctypes_extensions" in imported
    assert not imported & {"numpy", "jinja2", "msgspec", "memfit.engine.records", "asyncio"}


def test_the_answer_survives_json() -> None:
    answer = reserve(mamba(), [Options(context_tokens=512), Options(context_tokens=512, slots=1000)])
    assert isinstance(answer.contexts[1], Refused)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Reservation) == answer
