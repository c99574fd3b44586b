"""Shapes put together from a header and tensors: what is counted, what is tied, what a conversion leaves in F32."""

from __future__ import annotations

from itertools import pairwise

import pytest

from memfit.engine._llama_cpp.oracle import Described, is_installed, quantize
from memfit.errors import UnknownArchitecture, UnknownName
from memfit.model._build import card_shape, card_tensors, is_full_precision, shape_of
from memfit.model.cards import CARDS
from memfit.model.metadata import Metadata
from memfit.model.shape import Tensor
from memfit.precision.presets import PRESETS
from memfit.units import MIB


def test_a_shape_says_what_header_and_tensors_say() -> None:
    shape = card_shape(CARDS.get("llama_3_2_1b"), "F16")
    assert (shape.architecture, shape.name, shape.kind) == ("llama", "Llama-3.2-1B", "text")
    assert (shape.embedding_length, shape.vocabulary_tokens, shape.context_trained_tokens) == (2048, 128256, 131072)
    assert shape.parameters == shape.parameters_active == 1_235_814_400  # without the table of the rotary embedding


def test_of_tables_for_every_layer_a_token_reads_its_own_row() -> None:
    shape = card_shape(CARDS.get("gemma_4_e2b"), "F16")
    table = next(tensor for tensor in shape.tensors if tensor.name == "per_layer_token_embd.weight")
    assert shape.parameters == 4_647_449_891
    assert shape.parameters_active == shape.parameters - table.elements + table.dims[0]


def test_the_header_is_that_of_the_card() -> None:
    shape = card_shape(CARDS.get("llama_3_2_1b"), "F16")
    assert (shape.memory, shape.window_tokens, shape.causal, len(shape.layers)) == ("attention", 0, True, 16)
    assert shape.dimensions["attention.head_count_kv"] == 8
    assert shape.dimensions["rope.dimension_count"] == 64
    assert "attention.layer_norm_rms_epsilon" not in shape.dimensions
    assert shape.tokenizer is None


def test_only_decoders_without_an_output_matrix_are_tied() -> None:
    assert card_shape(CARDS.get("llama_3_2_1b")).tied_embeddings
    assert not card_shape(CARDS.get("llama_3_1_8b")).tied_embeddings
    encoder = card_shape(CARDS.get("all_minilm_l6_v2"))
    assert not encoder.tied_embeddings
    assert (encoder.kind, encoder.memory, encoder.causal) == ("embedding", "none", False)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("mixtral_8x7b", 12.9),
        ("qwen3_30b_a3b", 3.4),
        ("gpt_oss_20b", 4.2),  # 3.6 without the embedding, as its makers count
        ("gemma_4_26b_a4b", 3.8),
        ("llama_4_scout", 17.2),
        ("granite_3_1_1b_a400m", 0.4),
        ("qwen3_8b", 8.2),
    ],
)
def test_experts_not_chosen_are_not_active(name: str, billions: float) -> None:
    assert round(card_shape(CARDS.get(name)).parameters_active / 1e9, 1) == billions


def test_next_token_heads_are_not_active() -> None:
    card = CARDS.get("deepseek_v2_lite")
    values = {**card.header(), "deepseek2.block_count": 28, "deepseek2.nextn_predict_layers": 1}
    head = Tensor("blk.27.nextn.eh_proj.weight", (4096, 2048), "F16", 2 * 4096 * 2048)
    shape = shape_of(Metadata("deepseek2", values), [*card_tensors(card), head])
    plain = card_shape(card)
    assert shape.parameters == plain.parameters + head.elements
    assert shape.parameters_active == plain.parameters_active


def test_weights_of_a_preset_are_those_measured_with_the_engine() -> None:
    # llama_model_quantize in dry run on a stub of Llama-3.2-3B: 1918.35 MiB
    assert round(card_shape(CARDS.get("llama_3_2_3b"), "Q4_K_M").weights_bytes / MIB, 2) == 1918.35


def test_bigger_presets_take_more_and_the_tensors_stay() -> None:
    card = CARDS.get("qwen3_0_6b")
    shapes = [card_shape(card, preset) for preset in ("Q4_K_M", "Q8_0", "F16", "F32")]
    sizes = [shape.weights_bytes for shape in shapes]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 4
    assert len({tuple((tensor.name, tensor.dims) for tensor in shape.tensors) for shape in shapes}) == 1


@pytest.mark.parametrize(
    ("name", "dims", "full"),
    [
        ("blk.0.attn_q.weight", (64, 64), False),
        ("blk.0.attn_norm.weight", (64,), True),
        ("blk.0.attn_q_norm.weight", (64, 8), True),
        ("blk.0.attn_q.bias", (64,), True),
        ("blk.0.ffn_up_exps.bias", (64, 8), True),
        ("blk.0.ffn_gate_inp.weight", (64, 8), True),
        ("blk.10.ffn_gate_inp_shexp.weight", (64, 8), True),
        ("blk.0.ffn_gate_inp_other.weight", (64, 8), False),
        ("blk.0.ssm_conv1d.weight", (4, 64), True),
        ("blk.0.altup_predict_coef.weight", (4, 16), True),
        ("blk.0.altup_router.weight", (64, 4), False),
        ("position_embd.weight", (64, 512), True),
        ("token_types.weight", (64, 2), True),
        ("token_embd.weight", (64, 512), False),
    ],
)
def test_small_tables_stay_in_f32(name: str, dims: tuple[int, ...], full: bool) -> None:
    assert is_full_precision(name, dims) is full


def test_rows_of_the_embedding_tell_the_vocabulary() -> None:
    card = CARDS.get("smollm2_135m")
    meta = card.hyperparameters()
    padded = Tensor("token_embd.weight", (576, 49280), "F16", 2 * 576 * 49280)
    assert shape_of(meta, [padded]).vocabulary_tokens == 49280
    assert shape_of(meta, []).vocabulary_tokens == 49152
    assert shape_of(meta, [], vocabulary_tokens=7).vocabulary_tokens == 7


def test_the_file_type_and_the_name_are_the_headers() -> None:
    values = {**CARDS.get("smollm2_135m").header(), "general.file_type": 15}
    shape = shape_of(Metadata("llama", values), [])
    assert (shape.file_type, shape.name) == (15, "SmolLM2-135M")
    assert shape_of(Metadata("llama", {**values, "general.name": 3}), [], name="mine").name == "mine"


def test_an_unknown_architecture_names_the_nearest() -> None:
    with pytest.raises(UnknownArchitecture) as caught:
        shape_of(Metadata("qwen5", {}, file="model.gguf"), [])
    assert "qwen5" in caught.value.message
    assert caught.value.message.startswith("model.gguf: ")
    assert caught.value.hint is not None
    assert "qwen" in caught.value.hint


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownName):
        card_shape(CARDS.get("smollm2_135m"), "Q4_K_MM")


def test_the_first_layer_does_not_speak_for_all() -> None:
    # the first layer of this model has no heads, and still the engine counts four query heads to a key/value head
    formats = {tensor.name: tensor.format for tensor in card_shape(CARDS.get("qwen3_5_0_8b"), "Q2_K").tensors}
    assert formats["blk.3.attn_v.weight"] == "Q4_K"


def test_tensors_follow_each_other_as_in_a_file() -> None:
    tensors = card_shape(CARDS.get("smollm2_135m"), "Q4_K_M").tensors
    assert tensors[0].offset == 0
    for before, after in pairwise(tensors):
        assert after.offset % 32 == 0
        assert 0 <= after.offset - (before.offset + before.bytes) < 32


@pytest.mark.engine
@pytest.mark.skipif(not is_installed(), reason="llama-cpp-python is not installed")
@pytest.mark.parametrize("preset", ["Q2_K", "Q4_K_M"])
@pytest.mark.parametrize(
    "name",
    [
        "deepseek_v2_lite",
        "falcon_7b",
        "gemma_3n_e2b",
        "gemma_4_26b_a4b",
        "gpt_oss_20b",
        "llama_4_scout",
        "mixtral_8x7b",
        "nemotron_3_nano_30b_a3b",
        "phi_4_mini",
        "qwen3_5_0_8b",
        "qwen3_5_35b_a3b",
    ],
)
def test_formats_are_those_the_engine_chooses(name: str, preset: str) -> None:
    card = CARDS.get(name)
    converted = [(tensor.name, tensor.dims, tensor.format) for tensor in card_tensors(card)]
    answer = quantize(Described(metadata=card.header(), tensors=converted), PRESETS.get(preset).file_type)
    theirs = {tensor.name: (tensor.format.upper(), tensor.bytes) for tensor in answer.tensors}
    ours = {tensor.name: (tensor.format.upper(), tensor.bytes) for tensor in card_shape(card, preset).tensors}
    assert ours == theirs
