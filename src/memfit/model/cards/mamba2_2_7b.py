"""Mamba 2 2.7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="mamba2-2.7b",
    architecture="mamba2",
    metadata={
        "block_count": 64,
        "context_length": 1048576,
        "embedding_length": 2560,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 5120,
        "ssm.state_size": 128,
        "ssm.time_step_rank": 80,
        "vocab_size": 50288,
        "ssm.group_count": 1,
    },
    source="huggingface.co/state-spaces/mamba2-2.7b/config.json",
    uses=("completion",),
    released="2024-05",
    tied=True,
)
