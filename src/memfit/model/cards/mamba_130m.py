"""Mamba 130M."""

from memfit.model.cards._card import Card

CARD = Card(
    name="mamba-130m",
    architecture="mamba",
    metadata={
        "block_count": 24,
        "context_length": 1048576,
        "embedding_length": 768,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 1536,
        "ssm.state_size": 16,
        "ssm.time_step_rank": 48,
        "vocab_size": 50280,
    },
    source="huggingface.co/state-spaces/mamba-130m-hf/config.json",
    uses=("completion",),
    released="2023-12",
    tied=True,
)
