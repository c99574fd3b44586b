"""Compute and work buffers of whole models, without the engine."""

from typing import Any

import msgspec
import pytest

from memfit.engine._llama_cpp import assembly as assembly_module
from memfit.engine._llama_cpp.compute import compute_bytes
from memfit.engine._llama_cpp.graphs import DATA, load_graphs
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._llama_cpp.symbols import TOKEN, graph_key, rotation_width, several, tensor_set
from memfit.engine._llama_cpp.work import TILED_SLOT_BYTES, work_bytes
from memfit.engine.records import Options
from memfit.model._build import card_shape
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape
from memfit.units import MIB


def shape_of(name: str, preset: str = "F16") -> ModelShape:
    return card_shape(CARDS.get(name), preset)


# what llama.cpp 0c1e57098 said on x86-64 (llama-cpp-python 0.3.36): compute buffer, work buffer with 4 threads
ENGINE: list[tuple[str, dict[str, Any], int, int]] = [
    ("Llama-3.2-3B", {"context_tokens": 8192}, 275_253_248, 8_388_864),
    ("Llama-3.1-8B", {"context_tokens": 32768, "flash_attention": False}, 2_260_740_096, 1_073_742_080),
    (
        "Gemma-3-4B",
        {"context_tokens": 8192, "slots": 4, "unified_kv": True, "output_rows": 4, "full_window_cache": False},
        95_965_216,
        10_486_016,
    ),
    (
        "Qwen3-30B-A3B",
        {"context_tokens": 4096, "kv_type_k": "Q8_0", "kv_type_v": "Q8_0"},
        319_555_584,
        10_495_360,
    ),
    (
        "Qwen3.5-4B",
        {"context_tokens": 16384, "slots": 4, "rollback_tokens": 2, "output_rows": 12},
        104_613_984,
        9_437_440,
    ),
    ("DeepSeek-V2-Lite", {"context_tokens": 8192, "flash_attention": False}, 346_314_752, 134_217_984),
    ("Nemotron-Nano-9B-v2", {"context_tokens": 8192, "ubatch_tokens": 100}, 59_445_664, 3_136_256),
    ("Mamba2-2.7B", {"context_tokens": 2048, "slots": 3}, 118_743_104, 5_253_376),
    ("Mamba2-2.7B", {"context_tokens": 2048, "ubatch_tokens": 1}, 2_855_328, 10_496),
    ("Phi-4-mini", {"context_tokens": 8192, "ubatch_tokens": 1}, 824_864, 655_616),
    (
        "Gemma-3n-E2B",
        {"context_tokens": 8192, "output_rows": 1, "full_window_cache": False},
        116_414_496,
        8_388_864,
    ),
    # beyond the 8192 tokens of its chunks
    (
        "Llama-4-Scout",
        {"context_tokens": 32768, "flash_attention": False, "output_rows": 1, "full_window_cache": False},
        2_830_219_296,
        1_342_177_536,
    ),
]


@pytest.mark.parametrize(("name", "options", "compute", "work"), ENGINE)
def test_figures_that_the_engine_gave(name: str, options: dict[str, Any], compute: int, work: int) -> None:
    estimate = compute_bytes(shape_of(name), Options(**options))
    assert estimate.likely_bytes == compute
    assert estimate.low_bytes <= compute <= estimate.high_bytes
    assert estimate.source == "coefficients"
    assert ("to the byte" in estimate.error) == (estimate.low_bytes == estimate.high_bytes)
    assert work_bytes(shape_of(name), Options(**options), threads=4).likely_bytes == work


@pytest.mark.parametrize("card", list(CARDS), ids=lambda card: card.name)
def test_every_card_is_inside_what_was_traced(card: Card) -> None:
    shape = card_shape(card)
    for options in (
        Options(context_tokens=4096),
        Options(context_tokens=8192, slots=4, unified_kv=True, output_rows=4, full_window_cache=False),
        Options(context_tokens=8192, slots=2, flash_attention=False),
    ):
        estimate = compute_bytes(shape, options)
        assert 0 < estimate.low_bytes <= estimate.likely_bytes <= estimate.high_bytes
        assert estimate.error.startswith("equal to llama.cpp"), estimate.error
        assert work_bytes(shape, options, threads=4).source == "coefficients"


def test_fewer_output_rows_take_less() -> None:
    shape = shape_of("Llama-3.2-3B")
    options = Options(context_tokens=8192)
    reserved = compute_bytes(shape, options)
    touched = compute_bytes(shape, options, output_rows=1)
    assert touched.high_bytes < reserved.high_bytes
    # at least the rows of logits less
    assert reserved.high_bytes - touched.high_bytes > 100 * MIB
    assert compute_bytes(shape, msgspec.structs.replace(options, output_rows=1)) == touched


def test_without_flash_attention_the_scores_take_room() -> None:
    shape = shape_of("Llama-3.1-8B")
    with_flash = compute_bytes(shape, Options(context_tokens=32768))
    without = compute_bytes(shape, Options(context_tokens=32768, flash_attention=False))
    scores = 4 * 32 * 32768 * 512
    assert without.likely_bytes - with_flash.likely_bytes > scores // 2


def test_an_architecture_nobody_traced_gets_wide_bounds_and_says_so() -> None:
    shape = msgspec.structs.replace(shape_of("Llama-3.2-3B"), architecture="nobody")
    estimate = compute_bytes(shape, Options(context_tokens=8192))
    exact = compute_bytes(shape_of("Llama-3.2-3B"), Options(context_tokens=8192))
    assert estimate.source == "formula"
    assert estimate.low_bytes < exact.likely_bytes < estimate.high_bytes
    assert "nobody" in estimate.error
    assert work_bytes(shape, Options(context_tokens=8192), threads=4).source == "formula"


def test_a_kind_of_layer_nobody_traced_widens_the_bounds() -> None:
    shape = shape_of("Llama-3.2-3B")
    layers = tuple(msgspec.structs.replace(layer, shared_length=512) for layer in shape.layers)
    estimate = compute_bytes(msgspec.structs.replace(shape, layers=layers), Options(context_tokens=8192))
    assert estimate.low_bytes < estimate.likely_bytes < estimate.high_bytes
    assert "outside of what was traced" in estimate.error
    assert "shared" in estimate.error


def test_a_size_that_could_not_be_varied_counts_as_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    llama = load_graphs("llama")
    assert llama is not None
    fixed = msgspec.structs.replace(llama, fixed={"attention.head_count": 7})
    monkeypatch.setattr(assembly_module, "load_graphs", lambda _architecture: fixed)
    estimate = compute_bytes(shape_of("Llama-3.2-3B"), Options(context_tokens=8192))
    assert estimate.low_bytes < estimate.high_bytes
    assert "attention.head_count 24, traced at 7" in estimate.error


def test_work_grows_with_threads_only_by_what_each_thread_takes() -> None:
    shape = shape_of("Llama-3.2-3B")
    options = Options(context_tokens=4096)
    one, eight = (work_bytes(shape, options, threads=threads).likely_bytes for threads in (1, 8))
    # the product of the output matrix, F16 from F32 rows, is the same for any number of threads
    assert eight - one == 7 * 64


def test_work_follows_the_format_of_the_weights() -> None:
    options = Options(context_tokens=4096, repack=False)
    half = work_bytes(shape_of("Llama-3.2-3B"), options, threads=4).likely_bytes
    quantized = work_bytes(shape_of("Llama-3.2-3B", "Q8_0"), options, threads=4).likely_bytes
    # the right side becomes F16 (2 bytes a number) or Q8_0 (34 bytes for 32)
    assert quantized / half == pytest.approx(34 / 64, rel=0.05)


def test_tiles_of_avx_processors_count_for_plain_weights_only() -> None:
    shape = shape_of("Llama-3.2-3B", "Q6_K")
    options = Options(context_tokens=4096)
    plain = work_bytes(shape, options, threads=4).likely_bytes
    tiled = work_bytes(shape, options, threads=4, instructions=("avx2",)).likely_bytes
    assert tiled - plain == 64 + 4 * TILED_SLOT_BYTES
    # on NEON Q6_K is rearranged, and rearranged weights have kernels of their own
    neon = work_bytes(shape, options, threads=4, instructions=("neon", "dotprod")).likely_bytes
    assert neon <= plain


def test_work_without_tensors_is_a_guess_and_says_so() -> None:
    shape = msgspec.structs.replace(shape_of("Llama-3.2-3B"), tensors=())
    estimate = work_bytes(shape, Options(context_tokens=4096), threads=4)
    assert estimate.low_bytes < estimate.likely_bytes < estimate.high_bytes
    assert "F16" in estimate.error


@pytest.mark.parametrize(
    ("lengths", "width"), [((128, 128), 128), ((192,), 64), ((80,), 0), ((64, 128), 0), ((0,), 0), ((), 0)]
)
def test_the_rotation_is_as_wide_as_the_heads_divide(lengths: tuple[int, ...], width: int) -> None:
    assert rotation_width(lengths) == width


def test_tensors_that_no_traced_model_has_widen_the_bounds_and_are_named() -> None:
    shape = shape_of("Llama-3.2-3B")
    exact = compute_bytes(shape, Options(context_tokens=8192))
    added = msgspec.structs.replace(shape.tensors[-1], name="blk.0.attn_sinks.weight")
    estimate = compute_bytes(
        msgspec.structs.replace(shape, tensors=(*shape.tensors, added)), Options(context_tokens=8192)
    )
    assert estimate.low_bytes < exact.likely_bytes == estimate.likely_bytes < estimate.high_bytes
    assert "with attn_sinks.weight, unlike every model that was traced" in estimate.error


def test_a_tensor_of_a_damaged_name_is_one_that_no_traced_model_has() -> None:
    shape = shape_of("Falcon-H1-0.5B")
    damaged = msgspec.structs.replace(shape.tensors[0], name="blk.0weight")
    estimate = compute_bytes(msgspec.structs.replace(shape, tensors=(damaged, *shape.tensors[1:])), Options())
    assert estimate.likely_bytes == compute_bytes(shape, Options()).likely_bytes
    assert "unlike every model that was traced" in estimate.error


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("output.weight", True),  # or the embedding's
        ("rope_freqs.weight", True),  # factors of the rotation change no buffer
        ("blk.28.attn_q.bias", True),  # behind the trunk: a layer that predicts the next token
        ("blk.27.attn_q.bias", False),
        ("output_norm.bias", False),
    ],
)
def test_which_tensors_tell_graphs_apart(name: str, same: bool) -> None:
    shape = shape_of("Llama-3.2-3B")
    assert len(shape.trunk) == 28
    other = msgspec.structs.replace(shape.tensors[-1], name=name)
    more = msgspec.structs.replace(shape, tensors=(*shape.tensors, other))
    assert (tensor_set(more) == tensor_set(shape)) == same


def test_without_tensors_it_may_be_any_of_the_models_that_were_traced() -> None:
    lite = shape_of("DeepSeek-V2-Lite")
    estimate = compute_bytes(msgspec.structs.replace(lite, tensors=()), Options(context_tokens=8192))
    assert estimate.low_bytes < compute_bytes(lite, Options(context_tokens=8192)).likely_bytes < estimate.high_bytes
    assert "what tensors it has is not known" in estimate.error
    alone = shape_of("Phi-4-mini")  # every Phi-3 has the same tensors
    unlisted = msgspec.structs.replace(alone, tensors=())
    assert compute_bytes(unlisted, Options()) == compute_bytes(alone, Options())


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (Options(), "flash.half.half.window.one"),
        (Options(slots=3, flash_attention=False), "plain.half.half.window.streams"),
        (Options(kv_type_k="Q8_0", slots=2, unified_kv=True), "flash.rotated.half.window.unified"),
        (Options(ubatch_tokens=1), "flash.half.half.window.token.one"),
    ],
)
def test_the_structure_of_a_graph_is_named_by_what_it_depends_on(options: Options, key: str) -> None:
    shape = shape_of("Llama-4-Scout")
    assert graph_key(shape, options, resolve(shape, options)) == key
    assert several(key) == key.replace(".token", "")


def test_a_single_token_has_graphs_of_its_own_only_where_they_differ() -> None:
    token = {path.stem for path in DATA.glob("*.json") if "token" in path.read_text()}
    assert token
    for name in token:
        graphs = load_graphs(name)
        assert graphs is not None
        structures = list(graphs.structures())
        for key in structures:
            if TOKEN in key.split("."):
                assert several(key) in structures
                assert graphs.segments_by_role(key) != graphs.segments_by_role(several(key))
