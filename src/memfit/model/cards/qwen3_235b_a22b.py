"""Qwen3 235B-A22B: eight of 128 experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-235B-A22B",
    architecture="qwen3moe",
    metadata={
        "context_length": 40960,
        "embedding_length": 4096,
        "block_count": 94,
        "feed_forward_length": 12288,
        "attention.head_count": 64,
        "attention.head_count_kv": 4,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "expert_count": 128,
        "expert_used_count": 8,
        "expert_feed_forward_length": 1536,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source=(
        "config.json of Qwen/Qwen3-235B-A22B as quoted in litgpt (github.com/Lightning-AI/litgpt litgpt/config.py "
        "@ 0006c973); published description of Qwen/Qwen3-235B-A22B, whose 235,093,634,560 parameters it gives "
        "exactly"
    ),
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-04",
    aliases=("Qwen3-235B",),
)
