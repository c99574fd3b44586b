"""Phi-2 2.7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-2",
    architecture="phi2",
    metadata={
        "context_length": 2048,
        "embedding_length": 2560,
        "block_count": 32,
        "feed_forward_length": 10240,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 32,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 51200,
    },
    source="published description of microsoft/phi-2, whose 2,779,683,840 parameters it gives exactly",
    uses=("reasoning", "code"),
    released="2023-12",
)
