"""Attention architectures by themselves: which layer looks where and keeps what, and contradictory headers."""

from __future__ import annotations

import pytest

from attention_models import NAMES, VARIANTS, header
from memfit.errors import Malformed
from memfit.model.architectures import ARCHITECTURES, Plan
from memfit.model.cards import CARDS, Card
from memfit.model.metadata import Metadata, Value
from memfit.model.shape import Layer


def planned(card: Card) -> Plan:
    return ARCHITECTURES.get(card.architecture).plan(card.hyperparameters())


def plan(name: str, **changes: Value | None) -> Plan:
    meta = header(name, **changes)
    return ARCHITECTURES.get(meta.architecture).plan(meta)


def attentions(layers: tuple[Layer, ...]) -> str:
    return "".join({"full": "F", "sliding": "s", "chunked": "c"}[layer.attention] for layer in layers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama_3_2_1b", "F" * 16),
        ("gemma_2_2b", "sF" * 13),
        ("gemma_3_1b", "sssssF" * 4 + "ss"),
        ("gemma_3_4b", "sssssF" * 5 + "ssss"),
        ("gemma_3n_e2b", "ssssF" * 6),
        ("gemma_4_e2b", "ssssF" * 7),
        ("gemma_4_26b_a4b", "sssssF" * 5),
        ("gpt_oss_20b", "sF" * 12),
        ("command_r7b", "sssF" * 8),
        ("llama_4_scout", "cccF" * 12),
        ("phi_3_mini_4k", "F" * 32),
        ("olmo_2_1b", "F" * 16),
    ],
)
def test_windows_lie_where_the_makers_say(name: str, expected: str) -> None:
    assert attentions(planned(CARDS.get(name)).layers) == expected


@pytest.mark.parametrize(
    ("name", "window"),
    [("gemma_2_2b", 4096), ("gemma_3_1b", 512), ("llama_4_scout", 8192), ("phi_3_mini_4k", 0), ("gpt_oss_20b", 128)],
)
def test_the_window_is_the_headers_or_the_engines_own(name: str, window: int) -> None:
    assert planned(CARDS.get(name)).window_tokens == window


def test_a_stated_period_and_a_stated_list_replace_the_usual_pattern() -> None:
    assert attentions(plan("gemma_2_2b", attention__sliding_window_pattern=3).layers) == ("ssF" * 9)[:26]
    assert attentions(planned(VARIANTS["gpt_oss_listed"]).layers) == "sFFs"
    assert attentions(planned(VARIANTS["gemma2_all_windows"]).layers) == "sss"


def test_later_layers_of_gemma_3n_read_the_last_caches_of_their_kind() -> None:
    layers = planned(CARDS.get("gemma_3n_e2b")).layers
    assert [layer.cache_of for layer in layers] == [*range(20), *([18, 18, 18, 18, 19] * 2)]


def test_later_layers_of_gemma_4_have_other_widths_but_read_earlier_caches() -> None:
    layers = planned(CARDS.get("gemma_4_e2b")).layers
    assert [layer.cache_of for layer in layers] == [*range(15), *([13, 13, 13, 13, 14] * 4)]
    assert {(layer.attention, layer.key_length) for layer in layers} == {("sliding", 256), ("full", 512)}
    assert [layer.feed_forward_length for layer in layers] == [6144] * 15 + [12288] * 20


def test_gemma_4_with_experts_keeps_its_dense_feed_forward_for_every_token() -> None:
    layer = planned(CARDS.get("gemma_4_26b_a4b")).layers[5]
    assert (layer.experts, layer.experts_active, layer.expert_length, layer.shared_length) == (128, 8, 704, 2112)
    assert (layer.attention, layer.kv_heads) == ("full", 2)


def test_latent_attention_caches_the_compressed_row_and_no_values() -> None:
    layers = planned(CARDS.get("deepseek_v2_lite")).layers
    assert {(layer.latent_kv, layer.key_elements, layer.value_elements) for layer in layers} == {(True, 576, 0)}
    assert (layers[0].feed_forward_length, layers[0].experts) == (10944, 0)
    assert (layers[1].experts, layers[1].shared_length) == (64, 2816)


def test_files_from_before_latent_caches_hold_decompressed_heads() -> None:
    layer = planned(VARIANTS["deepseek_legacy"]).layers[0]
    assert (layer.latent_kv, layer.key_elements, layer.value_elements) == (False, 16 * 192, 16 * 128)


def test_next_token_heads_come_last_and_own_no_cache() -> None:
    layers = planned(VARIANTS["deepseek_v3_like"]).layers
    assert [(layer.next_token, layer.cache_of) for layer in layers] == [(False, i) for i in range(4)] + [(True, None)]


def test_experts_of_llama_4_come_every_second_layer_where_the_header_says() -> None:
    layers = planned(VARIANTS["llama4_interleaved"]).layers
    assert [layer.experts for layer in layers] == [0, 16] * 4
    assert [layer.feed_forward_length for layer in layers] == [16384, 0] * 4


def test_old_headers_without_an_experts_width_divide_the_feed_forward() -> None:
    assert planned(VARIANTS["qwen3moe_old"]).layers[0].expert_length == 6144 // 8
    assert planned(VARIANTS["qwen2moe_old"]).layers[0].shared_length == 5632


def test_encoders_keep_nothing() -> None:
    encoder = planned(CARDS.get("all_minilm_l6_v2"))
    assert (encoder.memory, encoder.causal) == ("none", False)
    assert all(layer.cache_of is None for layer in encoder.layers)
    assert planned(VARIANTS["bert_causal"]).causal


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_that_keeps_a_cache_owns_it(name: str) -> None:
    planned_model = planned(CARDS.get(name))
    for index, layer in enumerate(planned_model.layers):
        if planned_model.memory == "none":
            assert layer.cache_of is None
        else:
            assert layer.cache_of is not None
            owner = planned_model.layers[layer.cache_of]
            assert layer.cache_of <= index
            assert (owner.cache_of, owner.attention) == (layer.cache_of, layer.attention)


BAD: list[tuple[str, dict[str, Value | None], str]] = [
    ("llama_3_2_1b", {"block_count": 0}, "block_count is 0"),
    ("llama_3_2_1b", {"block_count": 513}, "block_count is 513"),
    ("llama_3_2_1b", {"block_count": -1}, "block_count is -1"),
    ("llama_3_2_1b", {"block_count": None}, "block_count is missing"),
    ("llama_3_2_1b", {"block_count": "16"}, "block_count is '16'"),
    ("llama_3_2_1b", {"embedding_length": 0}, "embedding_length is 0"),
    ("llama_3_2_1b", {"embedding_length": 2048.5}, "embedding_length is 2048.5"),
    ("llama_3_2_1b", {"attention__head_count": None}, "head_count is missing"),
    ("llama_3_2_1b", {"attention__head_count": 0}, "for 0 query heads"),
    ("llama_3_2_1b", {"attention__head_count_kv": 0}, "head_count_kv is 0"),
    ("llama_3_2_1b", {"attention__head_count_kv": 5}, "head_count_kv is 5 for 32 query heads"),
    ("llama_3_2_1b", {"attention__head_count_kv": [8] * 15}, "head_count_kv has 15 entries for 16 layers"),
    ("llama_3_2_1b", {"attention__head_count_kv": [8] * 17}, "head_count_kv has 17 entries for 16 layers"),
    ("llama_3_2_1b", {"attention__key_length": 0}, "key_length is 0"),
    ("llama_3_2_1b", {"attention__value_length": 96}, "key_length is 64, values have 96"),
    ("llama_3_2_1b", {"feed_forward_length": 0}, "feed_forward_length is missing or 0"),
    ("llama_3_2_1b", {"nextn_predict_layers": 16}, "nextn_predict_layers is 16"),
    ("mixtral_8x7b", {"expert_used_count": 9}, "expert_used_count is 9 of 8 experts"),
    ("mixtral_8x7b", {"expert_used_count": 0}, "expert_used_count is 0, but there are 8"),
    ("mixtral_8x7b", {"expert_count": 1025}, "expert_count is 1025"),
    ("mixtral_8x7b", {"feed_forward_length": None}, "expert_feed_forward_length gives the experts no width"),
    ("qwen3_30b_a3b", {"expert_count": None, "expert_used_count": None}, "expert_count is missing or 0"),
    ("gpt_oss_20b", {"expert_feed_forward_length": None}, "expert_feed_forward_length is missing or 0"),
    ("gpt_oss_20b", {"attention__sliding_window": None}, "sliding_window is missing"),
    ("gemma_2_2b", {"attention__sliding_window_pattern": 1}, "leaves no layer with the sliding window"),
    ("gemma_2_2b", {"attention__sliding_window_pattern": [False] * 26}, "leaves no layer with the sliding window"),
    ("gemma_2_2b", {"attention__sliding_window_pattern": [True] * 25}, "has 25 entries for 26 layers"),
    ("gemma_3n_e2b", {"attention__sliding_window_pattern": 6}, "would read the KV cache of layer 1"),
    ("gemma_4_e2b", {"attention__sliding_window_pattern": 5}, "sliding_window_pattern is not an array"),
    ("gemma_4_e2b", {"attention__shared_kv_layers": 34}, "only 1 layers keep a KV cache"),
    ("gemma_4_e2b", {"attention__shared_kv_layers": 36}, "shared_kv_layers is 36"),
    ("gemma_4_e2b", {"attention__shared_kv_layers": 19}, "would read the KV cache of layer 1"),
    ("gemma_4_e2b", {"attention__value_length": 256}, "key_length is 512, values have 256"),
    ("gemma_4_e2b", {"attention__key_length_swa": None}, "key_length_swa is missing"),
    ("gemma_4_26b_a4b", {"expert_feed_forward_length": None}, "expert_feed_forward_length is missing or 0"),
    ("deepseek_v2_lite", {"attention__value_length_mla": None}, "must come together"),
    ("deepseek_v2_lite", {"rope__dimension_count": 192}, "rope.dimension_count is 192"),
    ("deepseek_v2_lite", {"attention__kv_lora_rank": 0}, "kv_lora_rank is 0"),
    ("deepseek_v2_lite", {"block_count": 28}, "q_lora_rank is missing"),
    ("deepseek_v2_lite", {"expert_shared_count": None}, "expert_shared_count is missing"),
    ("llama_4_scout", {"interleave_moe_layer_step": None}, "interleave_moe_layer_step is missing"),
    ("llama_3_2_1b", {"attention__causal": "yes"}, "not true or false"),
    ("all_minilm_l6_v2", {"feed_forward_length": None}, "feed_forward_length is missing or 0"),
    ("all_minilm_l6_v2", {"attention__causal": "no"}, "not true or false"),
]


@pytest.mark.parametrize(("name", "changes", "complaint"), BAD, ids=range(len(BAD)))
def test_headers_that_contradict_themselves_are_refused_by_file_and_key(
    name: str, changes: dict[str, Value | None], complaint: str
) -> None:
    with pytest.raises(Malformed) as caught:
        plan(name, **changes)
    assert complaint in caught.value.message
    assert caught.value.message.startswith("model.gguf: ")


def test_encoders_need_a_count_of_token_types() -> None:
    card = CARDS.get("all_minilm_l6_v2")
    values = {key: value for key, value in card.header().items() if key != "tokenizer.ggml.token_type_count"}
    with pytest.raises(Malformed, match="token_type_count is None"):
        list(ARCHITECTURES.get("bert").tensors(Metadata("bert", values, file="model.gguf")))


def test_a_listed_vocabulary_wins_over_the_stated_size() -> None:
    values = {**CARDS.get("llama_3_2_1b").header(), "tokenizer.ggml.tokens": ["a", "b", "c"]}
    tensors = dict(ARCHITECTURES.get("llama").tensors(Metadata("llama", values)))
    assert tensors["token_embd.weight"] == (2048, 3)


def test_a_vocabulary_is_needed_for_tensors_but_not_for_layers() -> None:
    meta = header("llama_3_2_1b", vocab_size=None)
    assert len(ARCHITECTURES.get("llama").plan(meta).layers) == 16
    with pytest.raises(Malformed, match="vocab_size is missing"):
        list(ARCHITECTURES.get("llama").tensors(meta))
