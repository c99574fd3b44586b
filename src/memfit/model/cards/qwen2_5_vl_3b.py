"""Qwen2.5-VL 3B, the text half: the sizes of Qwen2.5-3B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-VL-3B",
    architecture="qwen2vl",
    metadata={
        "context_length": 128000,
        "embedding_length": 2048,
        "block_count": 36,
        "feed_forward_length": 11008,
        "attention.head_count": 16,
        "attention.head_count_kv": 2,
        "rope.dimension_sections": [16, 24, 24, 0],
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="published description of Qwen/Qwen2.5-VL-3B-Instruct: the text half of Qwen2.5-3B",
    uses=("vision", "chat", "bilingual", "long_context"),
    released="2025-01",
    aliases=("Qwen2.5-VL-3B-Instruct",),
    tied=True,
)
