"""StarCoder2 3B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="StarCoder2-3B",
    architecture="starcoder2",
    metadata={
        "context_length": 16384,
        "embedding_length": 3072,
        "block_count": 30,
        "feed_forward_length": 12288,
        "attention.head_count": 24,
        "attention.head_count_kv": 2,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 49152,
    },
    source=("published description of bigcode/starcoder2-3b, whose 3,030,371,328 parameters it gives exactly"),
    uses=("code",),
    released="2024-02",
    aliases=("starcoder2",),
    tied=True,
)
