"""Qwen3-Embedding 0.6B: Qwen3 0.6B trained to give vectors, with a smaller table of tokens."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-Embedding-0.6B",
    architecture="qwen3",
    metadata={
        "context_length": 32768,
        "embedding_length": 1024,
        "block_count": 28,
        "feed_forward_length": 3072,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "pooling_type": 3,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151669,
    },
    source=(
        "header of a GGUF conversion of Qwen/Qwen3-Embedding-0.6B in public logs "
        "(github.com/ollama/ollama/issues/12088); published description of Qwen/Qwen3-Embedding-0.6B, whose "
        "595,776,512 parameters it gives exactly"
    ),
    uses=("embedding", "bilingual", "long_context"),
    released="2025-06",
    aliases=("Qwen3-Embedding",),
    tied=True,
)
