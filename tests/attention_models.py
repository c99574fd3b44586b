"""The models that the tests of attention architectures walk: every card, and headers that no card has."""

from __future__ import annotations

from dataclasses import replace

from distinct_cards import distinct
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS, Card
from memfit.model.metadata import Metadata, Value

# architectures whose only memory is a KV cache, or none at all
NAMES = tuple(
    key
    for key, card in CARDS.items()
    if ARCHITECTURES.get(card.architecture).plan(card.hyperparameters()).memory in ("attention", "none")
)


def changed(
    name: str, *, optional: tuple[str, ...] | None = None, tied: bool | None = None, **values: Value | None
) -> Card:
    """A card with other hyperparameters; ``__`` stands for the dot of a key, None takes the key away."""
    card = CARDS.get(name)
    return replace(
        card,
        metadata=_with(card, values),
        optional_tensors=card.optional_tensors if optional is None else optional,
        tied=card.tied if tied is None else tied,
    )


def header(name: str, **values: Value | None) -> Metadata:
    """The header of a card with other hyperparameters, as if read from ``model.gguf``."""
    card = CARDS.get(name)
    card = replace(card, metadata=_with(card, values))
    return Metadata(card.architecture, card.header(), file="model.gguf", optional=card.optional_tensors)


def _with(card: Card, values: dict[str, Value | None]) -> dict[str, Value]:
    named = {key.replace("__", "."): value for key, value in values.items()}
    kept = {key: value for key, value in card.metadata.items() if key not in named}
    return {**kept, **{key: value for key, value in named.items() if value is not None}}


# what headers may say and no card says
VARIANTS = {
    "llama_biased": changed("smollm2_135m", block_count=2, optional=("attn_q.bias", "attn_output.bias", "ffn_up.bias")),
    "llama_next_token_ignored": changed("smollm2_135m", block_count=3, nextn_predict_layers=1),
    "qwen2_output_bias": changed("qwen2_5_7b", block_count=2, optional=("output.bias",)),
    "qwen2moe_old": changed(
        "qwen1_5_moe_a2_7b",
        block_count=2,
        expert_feed_forward_length=None,
        expert_shared_feed_forward_length=None,
    ),
    "qwen3moe_old": changed("qwen3_30b_a3b", block_count=2, expert_feed_forward_length=None),
    "gemma3_no_window": changed("gemma_3_1b", block_count=4, attention__sliding_window=None),
    "gemma3_untied": changed("gemma_3_1b", block_count=8, tied=False),
    "gemma2_stated_period": changed("gemma_2_2b", block_count=7, attention__sliding_window_pattern=3),
    "gemma2_all_windows": changed("gemma_2_2b", block_count=3, attention__sliding_window_pattern=0),
    "gemma2_default_window": changed("gemma_2_2b", block_count=4, attention__sliding_window=None),
    "gemma4_without_shared_keys": changed("gemma_4_e2b", optional=("attn_v",)),
    "gemma4_experts_and_per_layer": changed("gemma_4_26b_a4b", embedding_length_per_layer_input=64),
    "gpt_oss_listed": changed(
        "gpt_oss_20b", block_count=4, attention__sliding_window_pattern=[True, False, False, True]
    ),
    "phi3_small": changed("phi_3_mini_4k", block_count=2, attention__sliding_window=None),
    "stablelm_12b_like": changed("stablelm_2_1_6b", block_count=2, optional=("attn_q_norm",)),
    "deepseek_legacy": changed(
        "deepseek_v2_lite",
        attention__key_length_mla=None,
        attention__value_length_mla=None,
        attention__head_count_kv=16,
        attention__key_length=192,
        attention__value_length=128,
    ),
    "deepseek_v3_like": changed(
        "deepseek_v2_lite",
        block_count=5,
        nextn_predict_layers=1,
        leading_dense_block_count=2,
        attention__q_lora_rank=768,
        optional=("exp_probs_b.bias", "nextn.embed_tokens", "nextn.shared_head_head", "nextn.shared_head_norm"),
    ),
    "deepseek_all_dense": changed(
        "deepseek_v2_lite",
        block_count=3,
        leading_dense_block_count=3,
        attention__q_lora_rank=512,
        expert_count=None,
        expert_used_count=None,
        expert_group_count=None,
        expert_group_used_count=None,
        expert_shared_count=0,
    ),
    "nemotron_biased": changed(
        "nemotron_mini_4b", block_count=2, optional=("attn_q.bias", "attn_output.bias", "ffn_up.bias")
    ),
    "granitemoe_shared": changed("granite_3_1_1b_a400m", block_count=2, expert_shared_feed_forward_length=1024),
    "llama4_interleaved": changed("llama_4_scout", block_count=8, interleave_moe_layer_step=2, optional=()),
    "llama4_no_chunks": changed("llama_4_scout", block_count=4, attention__sliding_window=0),
    "llama4_listed_chunks": changed(
        "llama_4_scout", block_count=4, attention__sliding_window_pattern=[False, True, True, False]
    ),
    "olmo3_like": changed("olmo_2_1b", attention__sliding_window=300),
    "command_r_plus_like": changed(
        "command_r",
        block_count=64,
        embedding_length=1024,
        feed_forward_length=2048,
        attention__head_count=8,
        attention__head_count_kv=8,
    ),
    "falcon_40b_like": changed(
        "falcon_7b", block_count=2, attention__head_count_kv=71, optional=("attn_norm_2",), tied=True
    ),
    "internlm2_untied_small": changed("internlm2_1_8b", block_count=2),
    "bert_causal": changed("all_minilm_l6_v2", attention__causal=True, pooling_type=0),
}

MODELS = {**{name: CARDS.get(name) for name in NAMES if name in distinct()}, **VARIANTS}
