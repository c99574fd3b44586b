"""Qwen1.5-MoE: four of sixty small experts for each token, beside a shared one."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen1.5-MoE-A2.7B",
    architecture="qwen2moe",
    metadata={
        "context_length": 8192,
        "embedding_length": 2048,
        "block_count": 24,
        "feed_forward_length": 5632,
        "attention.head_count": 16,
        "attention.head_count_kv": 16,
        "expert_count": 60,
        "expert_used_count": 4,
        "expert_feed_forward_length": 1408,
        "expert_shared_feed_forward_length": 5632,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source=("published description of Qwen/Qwen1.5-MoE-A2.7B, whose 14,315,784,192 parameters it gives exactly"),
    uses=("chat", "bilingual"),
    released="2024-03",
    aliases=("Qwen1.5-MoE-A2.7B-Chat",),
)
