"""Ministral 3 3B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Ministral-3-3B",
    architecture="mistral3",
    metadata={
        "context_length": 262144,
        "embedding_length": 3072,
        "block_count": 26,
        "feed_forward_length": 9216,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "rope.scaling.original_context_length": 16384,
        "attention.temperature_scale": 0.1,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 131072,
    },
    source="config.json of mistralai/Ministral-3-3B-Instruct-2512",
    uses=("chat", "tools", "vision", "long_context"),
    released="2025-12",
    aliases=("Ministral-3-3B-2512", "Ministral-3-3B-Instruct-2512"),
    tied=True,
)
