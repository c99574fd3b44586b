"""Gemma 3 1B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3-1B",
    architecture="gemma3",
    metadata={
        "context_length": 32768,
        "embedding_length": 1152,
        "block_count": 26,
        "feed_forward_length": 6912,
        "attention.head_count": 4,
        "attention.head_count_kv": 1,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 512,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source="config.json of google/gemma-3-1b-it",
    uses=("chat", "classification", "long_context"),
    released="2025-03",
    aliases=("Gemma-3-1B-it",),
    tied=True,
    tokenizer="llama",
)
