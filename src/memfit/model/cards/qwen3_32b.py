"""Qwen3 32B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-32B",
    architecture="qwen3",
    metadata={
        "context_length": 40960,
        "embedding_length": 5120,
        "block_count": 64,
        "feed_forward_length": 25600,
        "attention.head_count": 64,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="published description of Qwen/Qwen3-32B, whose 32,762,123,264 parameters it gives exactly",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-04",
)
