"""Mistral 7B, third version."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mistral-7B-v0.3",
    architecture="llama",
    metadata={
        "context_length": 32768,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32768,
    },
    source="config.json of mistralai/Mistral-7B-v0.3",
    uses=("chat", "tools", "long_context"),
    released="2024-05",
    aliases=("Mistral-7B-Instruct-v0.3", "Mistral-7B"),
    tokenizer="llama",
)
