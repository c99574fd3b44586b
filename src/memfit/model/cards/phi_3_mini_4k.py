"""Phi-3 mini with a context of 4k."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-3-mini-4k",
    architecture="phi3",
    metadata={
        "context_length": 4096,
        "embedding_length": 3072,
        "block_count": 32,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 96,
        "attention.sliding_window": 2047,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32064,
    },
    source="class defaults of Phi3Config, which are those of microsoft/Phi-3-mini-4k-instruct",
    uses=("reasoning", "chat", "code"),
    released="2024-04",
    aliases=("Phi-3-mini-4k-instruct", "Phi-3-mini"),
    tokenizer="llama",
)
