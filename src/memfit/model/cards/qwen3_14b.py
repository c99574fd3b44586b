"""Qwen3 14B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-14B",
    architecture="qwen3",
    metadata={
        "context_length": 40960,
        "embedding_length": 5120,
        "block_count": 40,
        "feed_forward_length": 17408,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen3-14B",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-04",
)
