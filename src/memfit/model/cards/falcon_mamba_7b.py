"""Falcon Mamba 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="falcon-mamba-7b",
    architecture="mamba",
    metadata={
        "block_count": 64,
        "context_length": 1048576,
        "embedding_length": 4096,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 8192,
        "ssm.state_size": 16,
        "ssm.time_step_rank": 256,
        "vocab_size": 65024,
        "ssm.dt_b_c_rms": True,
    },
    source="huggingface.co/tiiuae/falcon-mamba-7b/config.json",
    uses=("chat",),
    released="2024-08",
)
