"""Mixtral 8x22B: two of eight experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mixtral-8x22B",
    architecture="llama",
    metadata={
        "context_length": 65536,
        "embedding_length": 6144,
        "block_count": 56,
        "feed_forward_length": 16384,
        "attention.head_count": 48,
        "attention.head_count_kv": 8,
        "expert_count": 8,
        "expert_used_count": 2,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32768,
    },
    source=(
        "config.json of mistralai/Mixtral-8x22B-Instruct-v0.1 as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973); published description of mistralai/Mixtral-8x22B-Instruct-v0.1, whose "
        "140,630,071,296 parameters it gives exactly"
    ),
    uses=("chat", "tools", "code", "long_context"),
    released="2024-04",
    aliases=("Mixtral-8x22B-v0.1", "Mixtral-8x22B-Instruct-v0.1"),
    tokenizer="llama",
)
