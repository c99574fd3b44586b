"""Qwen3 30B-A3B: eight of 128 experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-30B-A3B",
    architecture="qwen3moe",
    metadata={
        "context_length": 40960,
        "embedding_length": 2048,
        "block_count": 48,
        "feed_forward_length": 6144,
        "attention.head_count": 32,
        "attention.head_count_kv": 4,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "expert_count": 128,
        "expert_used_count": 8,
        "expert_feed_forward_length": 768,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of Qwen/Qwen3-30B-A3B",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-04",
)
