"""LFM2 8B with 1B active."""

from memfit.model.cards._card import Card

ATTENTION = (2, 6, 10, 14, 18, 21)

CARD = Card(
    name="LFM2-8B-A1B",
    architecture="lfm2moe",
    metadata={
        "block_count": 24,
        "context_length": 128000,
        "embedding_length": 2048,
        "feed_forward_length": 7168,
        "attention.head_count": 32,
        "attention.head_count_kv": [8 if index in ATTENTION else 0 for index in range(24)],
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.freq_base": 1000000.0,
        "shortconv.l_cache": 3,
        "vocab_size": 65536,
        "leading_dense_block_count": 2,
        "expert_count": 32,
        "expert_used_count": 4,
        "expert_feed_forward_length": 1792,
        "expert_gating_func": 2,
    },
    source="huggingface.co/LiquidAI/LFM2-8B-A1B/config.json",
    uses=("chat", "classification", "tools", "long_context"),
    released="2025-10",
    tied=True,
)
