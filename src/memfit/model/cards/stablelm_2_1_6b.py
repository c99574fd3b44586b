"""StableLM 2 1.6B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="StableLM-2-1.6B",
    architecture="stablelm",
    metadata={
        "context_length": 4096,
        "embedding_length": 2048,
        "block_count": 24,
        "feed_forward_length": 5632,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 16,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 100352,
    },
    source=("published description of stabilityai/stablelm-2-1_6b, whose 1,644,515,328 parameters it gives exactly"),
    uses=("chat",),
    released="2024-01",
    aliases=("stablelm-2-1_6b", "stablelm-2-zephyr-1_6b"),
    optional_tensors=("attn_q.bias",),
)
