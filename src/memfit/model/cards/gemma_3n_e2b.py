"""Gemma 3n E2B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Gemma-3n-E2B",
    architecture="gemma3n",
    metadata={
        "context_length": 32768,
        "embedding_length": 2048,
        "block_count": 30,
        "feed_forward_length": 8192,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 512,
        "attention.shared_kv_layers": 10,
        "embedding_length_per_layer_input": 256,
        "attention.sliding_window_pattern": ([True] * 4 + [False]) * 6,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 262144,
    },
    source=(
        "config.json of google/gemma-3n-E2B-it; vocabulary as in public logs of its GGUF conversion "
        "(github.com/ggml-org/llama.cpp/issues/15034)"
    ),
    uses=("chat", "vision", "long_context"),
    released="2025-06",
    aliases=("Gemma-3n-E2B-it",),
    tied=True,
    tokenizer="llama",
)
