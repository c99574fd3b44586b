"""Falcon-H1 1.5B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Falcon-H1-1.5B",
    architecture="falcon-h1",
    metadata={
        "block_count": 24,
        "context_length": 131072,
        "embedding_length": 2048,
        "feed_forward_length": 4608,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.freq_base": 100000000000.0,
        "ssm.conv_kernel": 4,
        "ssm.state_size": 256,
        "ssm.group_count": 1,
        "ssm.inner_size": 3072,
        "ssm.time_step_rank": 48,
        "vocab_size": 65537,
    },
    source="huggingface.co/tiiuae/Falcon-H1-1.5B-Base/config.json",
    uses=("chat", "long_context"),
    released="2025-05",
    aliases=("Falcon-H1-1.5B-Instruct",),
    optional_tensors=("ssm_norm",),
)
