"""Qwen3-VL 2B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-VL-2B",
    architecture="qwen3vl",
    metadata={
        "context_length": 262144,
        "embedding_length": 2048,
        "block_count": 28,
        "feed_forward_length": 6144,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_sections": [24, 20, 20, 0],
        "n_deepstack_layers": 3,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen3-VL-2B-Instruct",
    uses=("vision", "chat", "tools", "reasoning", "bilingual", "long_context"),
    released="2025-10",
    aliases=("Qwen3-VL-2B-Instruct", "Qwen3-VL-2B-Thinking"),
    tied=True,
)
