"""SmolLM2 360M."""

from memfit.model.cards._card import Card

CARD = Card(
    name="SmolLM2-360M",
    architecture="llama",
    metadata={
        "context_length": 8192,
        "embedding_length": 960,
        "block_count": 32,
        "feed_forward_length": 2560,
        "attention.head_count": 15,
        "attention.head_count_kv": 5,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 49152,
    },
    source="config.json of HuggingFaceTB/SmolLM2-360M",
    uses=("chat", "classification"),
    released="2024-11",
    aliases=("SmolLM2-360M-Instruct",),
    tied=True,
)
