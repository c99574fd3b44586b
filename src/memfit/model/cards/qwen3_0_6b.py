"""Qwen3 0.6B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-0.6B",
    architecture="qwen3",
    metadata={
        "context_length": 40960,
        "embedding_length": 1024,
        "block_count": 28,
        "feed_forward_length": 3072,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen3-0.6B",
    uses=("chat", "classification", "tools", "reasoning", "bilingual", "long_context"),
    released="2025-04",
    tied=True,
)
