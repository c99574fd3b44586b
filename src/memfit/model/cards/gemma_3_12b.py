"""Gemma 3 12B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3-12B",
    architecture="gemma3",
    metadata={
        "context_length": 131072,
        "embedding_length": 3840,
        "block_count": 48,
        "feed_forward_length": 15360,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 1024,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source=(
        "config.json of google/gemma-3-12b-it as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973); public logs of its GGUF conversion "
        "(github.com/intel/ipex-llm/issues/12978); with the encoder of images and 64 tokens for it, the "
        "12,187,325,040 parameters published"
    ),
    uses=("chat", "vision", "long_context"),
    released="2025-03",
    aliases=("Gemma-3-12B-it",),
    tied=True,
    tokenizer="llama",
)
