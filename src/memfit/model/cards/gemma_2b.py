"""Gemma 1 2B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-2B",
    architecture="gemma",
    metadata={
        "context_length": 8192,
        "embedding_length": 2048,
        "block_count": 18,
        "feed_forward_length": 16384,
        "attention.head_count": 8,
        "attention.head_count_kv": 1,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 256000,
    },
    source="config.json of google/gemma-2b and header of a GGUF conversion of it",
    uses=("chat",),
    released="2024-02",
    aliases=("Gemma-2B-it",),
    tied=True,
    tokenizer="llama",
)
