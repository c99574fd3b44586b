"""Mamba 2.8B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="mamba-2.8b",
    architecture="mamba",
    metadata={
        "block_count": 64,
        "context_length": 1048576,
        "embedding_length": 2560,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 5120,
        "ssm.state_size": 16,
        "ssm.time_step_rank": 160,
        "vocab_size": 50280,
    },
    source="huggingface.co/state-spaces/mamba-2.8b-hf/config.json",
    uses=("completion",),
    released="2023-12",
    tied=True,
)
