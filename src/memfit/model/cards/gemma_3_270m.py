"""Gemma 3 270M, made to be trained further for one task."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3-270M",
    architecture="gemma3",
    metadata={
        "context_length": 32768,
        "embedding_length": 640,
        "block_count": 18,
        "feed_forward_length": 2048,
        "attention.head_count": 4,
        "attention.head_count_kv": 1,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 512,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source=(
        "config of google/gemma-3-270m-it as quoted in LLMs-from-scratch (github.com/rasbt/LLMs-from-scratch "
        "ch05/12_gemma3/standalone-gemma3.ipynb @ ff0b3d92); published description of google/gemma-3-270m, whose "
        "268,098,176 parameters it gives exactly"
    ),
    uses=("classification", "long_context"),
    released="2025-08",
    aliases=("Gemma-3-270M-it",),
    tied=True,
    tokenizer="llama",
)
