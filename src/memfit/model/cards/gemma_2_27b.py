"""Gemma 2 27B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-2-27B",
    architecture="gemma2",
    metadata={
        "context_length": 8192,
        "embedding_length": 4608,
        "block_count": 46,
        "feed_forward_length": 36864,
        "attention.head_count": 32,
        "attention.head_count_kv": 16,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.sliding_window": 4096,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 256000,
    },
    source=(
        "config.json of google/gemma-2-27b as quoted in litgpt (github.com/Lightning-AI/litgpt litgpt/config.py @ "
        "0006c973); published description of google/gemma-2-27b, whose 27,227,128,320 parameters it gives exactly"
    ),
    uses=("chat",),
    released="2024-06",
    aliases=("Gemma-2-27B-it",),
    tied=True,
    tokenizer="llama",
)
