"""Mixtral 8x7B: two of eight experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mixtral-8x7B",
    architecture="llama",
    metadata={
        "context_length": 32768,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "expert_count": 8,
        "expert_used_count": 2,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32000,
    },
    source="config.json of mistralai/Mixtral-8x7B-v0.1",
    uses=("chat", "long_context"),
    released="2023-12",
    aliases=("Mixtral-8x7B-v0.1", "Mixtral-8x7B-Instruct-v0.1"),
    tokenizer="llama",
)
