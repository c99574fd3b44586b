"""Meta Llama 3.3 70B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-3.3-70B",
    architecture="llama",
    metadata={
        "context_length": 131072,
        "embedding_length": 8192,
        "block_count": 80,
        "feed_forward_length": 28672,
        "attention.head_count": 64,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 128256,
    },
    source=(
        "published description of meta-llama/Llama-3.3-70B-Instruct, whose 70,553,706,496 parameters it gives exactly"
    ),
    uses=("chat", "tools", "long_context"),
    released="2024-12",
    aliases=("Llama-3.3-70B-Instruct", "Llama-3.1-70B", "Llama-3.1-70B-Instruct"),
    optional_tensors=("rope_freqs",),
)
