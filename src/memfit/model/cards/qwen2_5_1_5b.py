"""Qwen2.5 1.5B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-1.5B",
    architecture="qwen2",
    metadata={
        "context_length": 131072,
        "embedding_length": 1536,
        "block_count": 28,
        "feed_forward_length": 8960,
        "attention.head_count": 12,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen2.5-1.5B",
    uses=("chat", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-1.5B-Instruct",),
    tied=True,
)
