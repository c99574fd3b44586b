"""Gemma 3 4B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3-4B",
    architecture="gemma3",
    metadata={
        "context_length": 131072,
        "embedding_length": 2560,
        "block_count": 34,
        "feed_forward_length": 10240,
        "attention.head_count": 8,
        "attention.head_count_kv": 4,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 1024,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source=(
        "config.json of google/gemma-3-4b-it; vocabulary and context as in public logs of its GGUF "
        "conversion (github.com/intel/ipex-llm/issues/13038)"
    ),
    uses=("chat", "vision", "long_context"),
    released="2025-03",
    aliases=("Gemma-3-4B-it",),
    tied=True,
    tokenizer="llama",
)
