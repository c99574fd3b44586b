"""Qwen3 4B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-4B",
    architecture="qwen3",
    metadata={
        "context_length": 40960,
        "embedding_length": 2560,
        "block_count": 36,
        "feed_forward_length": 9728,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen3-4B",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-04",
    tied=True,
)
