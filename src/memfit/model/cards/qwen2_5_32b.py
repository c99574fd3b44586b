"""Qwen2.5 32B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen2.5-32B",
    architecture="qwen2",
    metadata={
        "context_length": 131072,
        "embedding_length": 5120,
        "block_count": 64,
        "feed_forward_length": 27648,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 152064,
    },
    source=(
        "config.json of Qwen/Qwen2.5-32B as quoted in litgpt (github.com/Lightning-AI/litgpt litgpt/config.py @ "
        "0006c973); published description of Qwen/Qwen2.5-32B-Instruct, whose 32,763,876,352 parameters it gives "
        "exactly"
    ),
    uses=("chat", "tools", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-32B-Instruct",),
)
