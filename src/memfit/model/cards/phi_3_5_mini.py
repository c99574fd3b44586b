"""Phi-3.5 mini."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-3.5-mini",
    architecture="phi3",
    metadata={
        "context_length": 131072,
        "embedding_length": 3072,
        "block_count": 32,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 96,
        "attention.sliding_window": 262144,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32064,
    },
    source="config.json of microsoft/Phi-3.5-mini-instruct",
    uses=("reasoning", "chat", "code", "long_context"),
    released="2024-08",
    aliases=("Phi-3.5-mini-instruct",),
    tokenizer="llama",
    optional_tensors=("rope_factors_long", "rope_factors_short"),
)
