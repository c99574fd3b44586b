"""Gemma 2 9B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-2-9B",
    architecture="gemma2",
    metadata={
        "context_length": 8192,
        "embedding_length": 3584,
        "block_count": 42,
        "feed_forward_length": 14336,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 4096,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 256000,
    },
    source="published description of google/gemma-2-9b, whose 9,241,705,984 parameters it gives exactly",
    uses=("chat",),
    released="2024-06",
    aliases=("Gemma-2-9B-it",),
    tied=True,
    tokenizer="llama",
)
