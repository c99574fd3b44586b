"""Nemotron 3 Nano 30B with 3B active."""

from memfit.model.cards._card import Card

# M: Mamba 2, *: attention, -: feed-forward, E: experts
PATTERN = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"

CARD = Card(
    name="Nemotron-3-Nano-30B-A3B",
    architecture="nemotron_h_moe",
    metadata={
        "block_count": len(PATTERN),
        "context_length": 1048576,
        "embedding_length": 2688,
        "feed_forward_length": [1856 if kind == "E" else 0 for kind in PATTERN],
        "attention.head_count": 32,
        "attention.head_count_kv": [2 if kind == "*" else 0 for kind in PATTERN],
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_epsilon": 1e-05,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.dimension_count": 128,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 8,
        "ssm.inner_size": 4096,
        "ssm.time_step_rank": 64,
        "vocab_size": 131072,
        "expert_count": 128,
        "expert_used_count": 6,
        "expert_shared_count": 1,
        "expert_feed_forward_length": 1856,
        "expert_shared_feed_forward_length": 3712,
        "expert_group_count": 1,
        "expert_weights_norm": True,
        "expert_weights_scale": 2.5,
    },
    source="huggingface.co/nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16/config.json; conversion/nemotron.py @ 0c1e57098",
    uses=("reasoning", "chat", "tools", "code", "long_context"),
    released="2025-12",
    aliases=("NVIDIA-Nemotron-3-Nano-30B-A3B", "Nemotron 3 Nano", "Nemotron-3-Nano"),
)
