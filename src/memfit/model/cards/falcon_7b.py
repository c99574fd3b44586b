"""Falcon 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Falcon-7B",
    architecture="falcon",
    metadata={
        "context_length": 2048,
        "embedding_length": 4544,
        "block_count": 32,
        "feed_forward_length": 18176,
        "attention.head_count": 71,
        "attention.head_count_kv": 1,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 65024,
    },
    source="published description of tiiuae/falcon-7b, whose 7,217,189,760 parameters it gives exactly",
    uses=("chat",),
    released="2023-05",
    aliases=("falcon-7b-instruct",),
)
