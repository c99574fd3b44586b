"""Meta Llama 3 8B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-3-8B",
    architecture="llama",
    metadata={
        "context_length": 8192,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 128256,
    },
    source="header of a GGUF conversion of meta-llama/Meta-Llama-3-8B-Instruct",
    uses=("chat",),
    released="2024-04",
    aliases=("Meta-Llama-3-8B", "Meta-Llama-3-8B-Instruct", "Llama-3-8B-Instruct"),
)
