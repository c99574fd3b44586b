"""TinyLlama 1.1B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="TinyLlama-1.1B",
    architecture="llama",
    metadata={
        "context_length": 2048,
        "embedding_length": 2048,
        "block_count": 22,
        "feed_forward_length": 5632,
        "attention.head_count": 32,
        "attention.head_count_kv": 4,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32000,
    },
    source="config.json of TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    uses=("chat", "classification"),
    released="2024-01",
    aliases=("TinyLlama-1.1B-Chat-v1.0", "TinyLlama"),
    tokenizer="llama",
)
