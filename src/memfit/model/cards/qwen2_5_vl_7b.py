"""Qwen2.5-VL 7B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-VL-7B",
    architecture="qwen2vl",
    metadata={
        "context_length": 128000,
        "embedding_length": 3584,
        "block_count": 28,
        "feed_forward_length": 18944,
        "attention.head_count": 28,
        "attention.head_count_kv": 4,
        "rope.dimension_sections": [16, 24, 24, 0],
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 152064,
    },
    source="config.json of Qwen/Qwen2.5-VL-7B-Instruct",
    uses=("vision", "chat", "bilingual", "long_context"),
    released="2025-01",
    aliases=("Qwen2.5-VL-7B-Instruct",),
)
