"""SmolLM2 135M."""

from memfit.model.cards._card import Card

CARD = Card(
    name="SmolLM2-135M",
    architecture="llama",
    metadata={
        "context_length": 8192,
        "embedding_length": 576,
        "block_count": 30,
        "feed_forward_length": 1536,
        "attention.head_count": 9,
        "attention.head_count_kv": 3,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 49152,
    },
    source="config.json of HuggingFaceTB/SmolLM2-135M",
    uses=("chat", "classification"),
    released="2024-11",
    aliases=("SmolLM2-135M-Instruct",),
    tied=True,
)
