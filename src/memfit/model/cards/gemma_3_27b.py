"""Gemma 3 27B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3-27B",
    architecture="gemma3",
    metadata={
        "context_length": 131072,
        "embedding_length": 5376,
        "block_count": 62,
        "feed_forward_length": 21504,
        "attention.head_count": 32,
        "attention.head_count_kv": 16,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.sliding_window": 1024,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source=(
        "config.json of google/gemma-3-27b-it as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973); with the encoder of images and 64 tokens for it, the 27,432,406,640 "
        "parameters published"
    ),
    uses=("chat", "vision", "long_context"),
    released="2025-03",
    aliases=("Gemma-3-27B-it",),
    tied=True,
    tokenizer="llama",
)
