"""Gemma 4 26B-A4B: eight of 128 experts for each token, beside a dense feed-forward."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-4-26B-A4B",
    architecture="gemma4",
    metadata={
        "context_length": 262144,
        "embedding_length": 2816,
        "block_count": 30,
        "feed_forward_length": 2112,
        "attention.head_count": 16,
        "attention.head_count_kv": ([8] * 5 + [2]) * 5,
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 1024,
        "attention.shared_kv_layers": 0,
        "embedding_length_per_layer_input": 0,
        "rope.dimension_count": 512,
        "rope.dimension_count_swa": 256,
        "attention.sliding_window_pattern": ([True] * 5 + [False]) * 5,
        "expert_count": 128,
        "expert_used_count": 8,
        "expert_feed_forward_length": 704,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source="config.json of google/gemma-4-26B-A4B-it",
    uses=("chat", "reasoning", "tools", "code", "vision", "long_context"),
    released="2026-04",
    aliases=("Gemma-4-26B-A4B-it",),
    tied=True,
    tokenizer="gemma4",
)
