"""Qwen3-Next 80B with 3B active, without its next-token-prediction layer, as the released GGUF files are."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-Next-80B-A3B",
    architecture="qwen3next",
    metadata={
        "block_count": 48,
        "context_length": 262144,
        "embedding_length": 2048,
        "feed_forward_length": 5120,
        "attention.head_count": 16,
        "attention.head_count_kv": 2,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "rope.dimension_count": 64,
        "rope.freq_base": 10000000.0,
        "full_attention_interval": 4,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 16,
        "ssm.time_step_rank": 32,
        "ssm.inner_size": 4096,
        "vocab_size": 151936,
        "expert_count": 512,
        "expert_used_count": 10,
        "expert_feed_forward_length": 512,
        "expert_shared_feed_forward_length": 512,
    },
    source="huggingface.co/Qwen/Qwen3-Next-80B-A3B-Thinking/config.json",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-09",
    aliases=("Qwen3-Next-80B-A3B-Instruct", "Qwen3-Next-80B-A3B-Thinking", "Qwen3-Next"),
)
