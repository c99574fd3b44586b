"""Nemotron Nano 9B v2."""

from memfit.model.cards._card import Card

# M: Mamba 2, *: attention, -: feed-forward, E: experts
PATTERN = "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"

CARD = Card(
    name="Nemotron-Nano-9B-v2",
    architecture="nemotron_h",
    metadata={
        "block_count": len(PATTERN),
        "context_length": 1048576,
        "embedding_length": 4480,
        "feed_forward_length": [15680 if kind == "-" else 0 for kind in PATTERN],
        "attention.head_count": 40,
        "attention.head_count_kv": [8 if kind == "*" else 0 for kind in PATTERN],
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_epsilon": 1e-05,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.dimension_count": 112,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 8,
        "ssm.inner_size": 10240,
        "ssm.time_step_rank": 128,
        "vocab_size": 131072,
    },
    source="huggingface.co/nvidia/NVIDIA-Nemotron-Nano-9B-v2/config.json; conversion/nemotron.py @ 0c1e57098",
    uses=("reasoning", "chat", "tools", "long_context"),
    released="2025-08",
    aliases=("NVIDIA-Nemotron-Nano-9B-v2",),
)
