"""Gemma 2 2B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-2-2B",
    architecture="gemma2",
    metadata={
        "context_length": 8192,
        "embedding_length": 2304,
        "block_count": 26,
        "feed_forward_length": 9216,
        "attention.head_count": 8,
        "attention.head_count_kv": 4,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 4096,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 256000,
    },
    source="config.json of google/gemma-2-2b and header of a GGUF conversion of it",
    uses=("chat",),
    released="2024-07",
    aliases=("Gemma-2-2B-it",),
    tied=True,
    tokenizer="llama",
)
