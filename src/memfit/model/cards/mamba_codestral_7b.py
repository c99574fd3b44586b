"""Mamba-Codestral 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mamba-Codestral-7B",
    architecture="mamba2",
    metadata={
        "block_count": 64,
        "context_length": 1048576,
        "embedding_length": 4096,
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 8192,
        "ssm.state_size": 128,
        "ssm.time_step_rank": 128,
        "vocab_size": 32768,
        "ssm.group_count": 8,
    },
    source="huggingface.co/mistralai/Mamba-Codestral-7B-v0.1/config.json",
    uses=("code",),
    released="2024-07",
    tokenizer="llama",
    aliases=("Mamba-Codestral-7B-v0.1",),
)
