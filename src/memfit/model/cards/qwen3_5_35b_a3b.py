"""Qwen3.5 35B with 3B active."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3.5-35B-A3B",
    architecture="qwen35moe",
    metadata={
        "block_count": 41,
        "nextn_predict_layers": 1,
        "context_length": 262144,
        "embedding_length": 2048,
        "attention.head_count": 16,
        "attention.head_count_kv": 2,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "rope.dimension_count": 64,
        "rope.dimension_sections": [11, 11, 10, 0],
        "rope.freq_base": 10000000.0,
        "full_attention_interval": 4,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 16,
        "ssm.time_step_rank": 32,
        "ssm.inner_size": 4096,
        "vocab_size": 248320,
        "expert_count": 256,
        "expert_used_count": 8,
        "expert_feed_forward_length": 512,
        "expert_shared_feed_forward_length": 512,
    },
    source="huggingface.co/Qwen/Qwen3.5-35B-A3B/config.json, text_config",
    uses=("reasoning", "chat", "tools", "code", "vision", "bilingual", "long_context"),
    released="2026-02",
    aliases=("Qwen/Qwen3.5-35B-A3B",),
)
