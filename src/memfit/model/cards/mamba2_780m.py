"""Mamba 2 780M."""

from memfit.model.cards._card import Card

CARD = Card(
    name="mamba2-780m",
    architecture="mamba2",
    metadata={
        "block_count": 48,
        "context_length": 1048576,
        "embedding_length": 1536,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 3072,
        "ssm.state_size": 128,
        "ssm.time_step_rank": 48,
        "vocab_size": 50288,
        "ssm.group_count": 1,
    },
    source="huggingface.co/state-spaces/mamba2-780m/config.json",
    uses=("completion",),
    released="2024-05",
    tied=True,
)
