"""Granite 4.0 H Tiny: 7B with 1B active."""

from memfit.model.cards._card import Card

ATTENTION = (5, 15, 25, 35)

CARD = Card(
    name="Granite-4.0-H-Tiny",
    architecture="granitehybrid",
    metadata={
        "block_count": 40,
        "context_length": 1048576,
        "embedding_length": 1536,
        "feed_forward_length": 512,
        "attention.head_count": 12,
        "attention.head_count_kv": [4 if index in ATTENTION else 0 for index in range(40)],
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.dimension_count": 128,
        "rope.scaling.finetuned": False,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 1,
        "ssm.inner_size": 3072,
        "ssm.time_step_rank": 48,
        "vocab_size": 100352,
        "expert_count": 64,
        "expert_used_count": 6,
        "expert_shared_feed_forward_length": 1024,
    },
    source="huggingface.co/ibm-granite/granite-4.0-h-tiny/config.json",
    uses=("chat", "classification", "tools", "long_context"),
    released="2025-10",
    tied=True,
    aliases=("granite4:tiny-h",),
)
