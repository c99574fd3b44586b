"""Nemotron-H 8B."""

from memfit.model.cards._card import Card

# M: Mamba 2, *: attention, -: feed-forward, E: experts
PATTERN = "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-"

CARD = Card(
    name="Nemotron-H-8B",
    architecture="nemotron_h",
    metadata={
        "block_count": len(PATTERN),
        "context_length": 1048576,
        "embedding_length": 4096,
        "feed_forward_length": [21504 if kind == "-" else 0 for kind in PATTERN],
        "attention.head_count": 32,
        "attention.head_count_kv": [8 if kind == "*" else 0 for kind in PATTERN],
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_epsilon": 1e-05,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.dimension_count": 128,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 8,
        "ssm.inner_size": 8192,
        "ssm.time_step_rank": 128,
        "vocab_size": 131072,
    },
    source="huggingface.co/nvidia/Nemotron-H-8B-Base-8K/config.json; conversion/nemotron.py @ 0c1e57098",
    uses=("completion",),
    aliases=("Nemotron-H-8B-Base-8K",),
)
