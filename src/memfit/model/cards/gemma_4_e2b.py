"""Gemma 4 E2B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-4-E2B",
    architecture="gemma4",
    metadata={
        "context_length": 131072,
        "embedding_length": 1536,
        "block_count": 35,
        "feed_forward_length": ([6144] * 15 + [12288] * 20),
        "attention.head_count": 8,
        "attention.head_count_kv": 1,
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 512,
        "attention.shared_kv_layers": 20,
        "embedding_length_per_layer_input": 256,
        "rope.dimension_count": 512,
        "rope.dimension_count_swa": 256,
        "attention.sliding_window_pattern": ([True] * 4 + [False]) * 7,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source="config.json of google/gemma-4-E2B-it",
    uses=("chat", "reasoning", "tools", "vision", "long_context"),
    released="2026-04",
    aliases=("Gemma-4-E2B-it",),
    tied=True,
    tokenizer="gemma4",
    optional_tensors=("attn_k", "attn_v"),
)
