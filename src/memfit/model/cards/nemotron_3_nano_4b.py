"""Nemotron 3 Nano 4B."""

from memfit.model.cards._card import Card

# M: Mamba 2, *: attention, -: feed-forward, E: experts
PATTERN = "M-M-M-MM-M-M*-M-M*-M-M-M*-M-M-MM*-MMM-M-M-"

CARD = Card(
    name="Nemotron-3-Nano-4B",
    architecture="nemotron_h",
    metadata={
        "block_count": len(PATTERN),
        "context_length": 1048576,
        "embedding_length": 3136,
        "feed_forward_length": [12544 if kind == "-" else 0 for kind in PATTERN],
        "attention.head_count": 40,
        "attention.head_count_kv": [8 if kind == "*" else 0 for kind in PATTERN],
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_epsilon": 1e-05,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.dimension_count": 78,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 8,
        "ssm.inner_size": 7680,
        "ssm.time_step_rank": 96,
        "vocab_size": 131072,
    },
    source="header of nvidia/NVIDIA-Nemotron3-Nano-4B-Q4_K_M.gguf",
    uses=("reasoning", "chat", "tools", "long_context"),
    aliases=("NVIDIA-Nemotron3-Nano-4B", "Nemotron3-Nano-4B"),
)
