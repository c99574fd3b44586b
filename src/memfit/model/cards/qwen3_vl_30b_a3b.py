"""Qwen3-VL 30B-A3B, the text half: the sizes of Qwen3-30B-A3B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-VL-30B-A3B",
    architecture="qwen3vlmoe",
    metadata={
        "context_length": 262144,
        "embedding_length": 2048,
        "block_count": 48,
        "feed_forward_length": 6144,
        "attention.head_count": 32,
        "attention.head_count_kv": 4,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "expert_count": 128,
        "expert_used_count": 8,
        "expert_feed_forward_length": 768,
        "rope.dimension_sections": [24, 20, 20, 0],
        "n_deepstack_layers": 3,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="published description of Qwen/Qwen3-VL-30B-A3B-Instruct: the text half of Qwen3-30B-A3B",
    uses=("vision", "chat", "tools", "reasoning", "bilingual", "long_context"),
    released="2025-10",
    aliases=("Qwen3-VL-30B-A3B-Instruct",),
)
