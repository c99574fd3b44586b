"""Qwen2.5 3B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-3B",
    architecture="qwen2",
    metadata={
        "context_length": 32768,
        "embedding_length": 2048,
        "block_count": 36,
        "feed_forward_length": 11008,
        "attention.head_count": 16,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen2.5-3B",
    uses=("chat", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-3B-Instruct",),
    tied=True,
)
