"""Qwen2.5 0.5B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-0.5B",
    architecture="qwen2",
    metadata={
        "context_length": 32768,
        "embedding_length": 896,
        "block_count": 24,
        "feed_forward_length": 4864,
        "attention.head_count": 14,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="header of a GGUF conversion of Qwen/Qwen2.5-0.5B-Instruct",
    uses=("chat", "classification", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-0.5B-Instruct", "Qwen2-0.5B"),
    tied=True,
)
