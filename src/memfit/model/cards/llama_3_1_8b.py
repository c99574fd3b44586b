"""Meta Llama 3.1 8B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-3.1-8B",
    architecture="llama",
    metadata={
        "context_length": 131072,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 128256,
    },
    source="config.json of meta-llama/Llama-3.1-8B",
    uses=("chat", "tools", "long_context"),
    released="2024-07",
    aliases=(
        "Meta-Llama-3.1-8B",
        "Meta-Llama-3.1-8B-Instruct",
        "Llama-3.1-8B-Instruct",
    ),
    optional_tensors=("rope_freqs",),
)
