"""Phi-4 mini."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-4-mini",
    architecture="phi3",
    metadata={
        "context_length": 131072,
        "embedding_length": 3072,
        "block_count": 32,
        "feed_forward_length": 8192,
        "attention.head_count": 24,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 96,
        "attention.sliding_window": 262144,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 200064,
    },
    source="config.json of microsoft/Phi-4-mini-instruct",
    uses=("reasoning", "chat", "code", "tools", "long_context"),
    released="2025-02",
    aliases=("Phi-4-mini-instruct",),
    tied=True,
    optional_tensors=("rope_factors_long", "rope_factors_short"),
)
