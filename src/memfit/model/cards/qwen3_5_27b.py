"""Qwen3.5 27B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3.5-27B",
    architecture="qwen35",
    metadata={
        "block_count": 65,
        "nextn_predict_layers": 1,
        "context_length": 262144,
        "embedding_length": 5120,
        "feed_forward_length": 17408,
        "attention.head_count": 24,
        "attention.head_count_kv": 4,
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
        "ssm.time_step_rank": 48,
        "ssm.inner_size": 6144,
        "vocab_size": 248320,
    },
    source="huggingface.co/Qwen/Qwen3.5-27B/config.json, text_config",
    uses=("reasoning", "chat", "tools", "code", "vision", "bilingual", "long_context"),
    released="2026-02",
    aliases=("Qwen3.5 27B", "Qwen/Qwen3.5-27B"),
)
