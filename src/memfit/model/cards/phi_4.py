"""Phi-4 14B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-4",
    architecture="phi3",
    metadata={
        "context_length": 16384,
        "embedding_length": 5120,
        "block_count": 40,
        "feed_forward_length": 17920,
        "attention.head_count": 40,
        "attention.head_count_kv": 10,
        "rope.dimension_count": 128,
        "attention.sliding_window": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 100352,
    },
    source="published description of microsoft/phi-4, whose 14,659,507,200 parameters it gives exactly",
    uses=("reasoning", "chat", "code"),
    released="2024-12",
)
