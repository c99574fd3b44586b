"""SmolLM2 1.7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="SmolLM2-1.7B",
    architecture="llama",
    metadata={
        "context_length": 8192,
        "embedding_length": 2048,
        "block_count": 24,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 49152,
    },
    source=("published description of HuggingFaceTB/SmolLM2-1.7B, whose 1,711,376,384 parameters it gives exactly"),
    uses=("chat", "classification", "tools"),
    released="2024-11",
    aliases=("SmolLM2-1.7B-Instruct",),
    tied=True,
)
