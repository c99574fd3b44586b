"""Qwen2.5 14B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-14B",
    architecture="qwen2",
    metadata={
        "context_length": 131072,
        "embedding_length": 5120,
        "block_count": 48,
        "feed_forward_length": 13824,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 152064,
    },
    source="published description of Qwen/Qwen2.5-14B, whose 14,770,033,664 parameters it gives exactly",
    uses=("chat", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-14B-Instruct",),
)
