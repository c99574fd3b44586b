"""Qwen2.5 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-7B",
    architecture="qwen2",
    metadata={
        "context_length": 131072,
        "embedding_length": 3584,
        "block_count": 28,
        "feed_forward_length": 18944,
        "attention.head_count": 28,
        "attention.head_count_kv": 4,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 152064,
    },
    source="config.json of Qwen/Qwen2.5-7B",
    uses=("chat", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-7B-Instruct",),
)
