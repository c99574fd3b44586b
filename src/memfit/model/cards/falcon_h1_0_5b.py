"""Falcon-H1 0.5B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Falcon-H1-0.5B",
    architecture="falcon-h1",
    metadata={
        "block_count": 36,
        "context_length": 16384,
        "embedding_length": 1024,
        "feed_forward_length": 2048,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
        "attention.key_length": 64,
        "attention.value_length": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.freq_base": 100000000000.0,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": 1,
        "ssm.inner_size": 1536,
        "ssm.time_step_rank": 24,
        "vocab_size": 32784,
    },
    source="huggingface.co/tiiuae/Falcon-H1-0.5B-Base/config.json",
    uses=("chat",),
    released="2025-05",
    aliases=("Falcon-H1-0.5B-Instruct",),
)
