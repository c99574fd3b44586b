"""Jamba v0.1: 52B with 12B active; Jamba 1.5 Mini has the same sizes."""

from memfit.model.cards._card import Card

ATTENTION = (4, 12, 20, 28)

CARD = Card(
    name="Jamba-v0.1",
    architecture="jamba",
    metadata={
        "block_count": 32,
        "context_length": 262144,
        "embedding_length": 4096,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": [8 if index in ATTENTION else 0 for index in range(32)],
        "attention.layer_norm_rms_epsilon": 1e-06,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 8192,
        "ssm.state_size": 16,
        "ssm.time_step_rank": 256,
        "expert_count": 16,
        "expert_used_count": 2,
        "vocab_size": 65536,
    },
    source="huggingface.co/ai21labs/Jamba-v0.1/config.json",
    uses=("chat", "long_context"),
    released="2024-03",
    tokenizer="llama",
    aliases=("Jamba-1.5-Mini", "AI21-Jamba-1.5-Mini", "AI21-Jamba-Mini-1.6"),
)
