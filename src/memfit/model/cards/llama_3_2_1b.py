"""Meta Llama 3.2 1B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-3.2-1B",
    architecture="llama",
    metadata={
        "context_length": 131072,
        "embedding_length": 2048,
        "block_count": 16,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 64,
        "attention.value_length": 64,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 128256,
    },
    source="config.json of meta-llama/Llama-3.2-1B",
    uses=("chat", "classification", "tools", "long_context"),
    released="2024-09",
    aliases=("Llama-3.2-1B-Instruct",),
    tied=True,
    optional_tensors=("rope_freqs",),
)
