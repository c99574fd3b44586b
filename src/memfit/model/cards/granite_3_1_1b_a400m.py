"""Granite 3.1 1B-A400M: eight of 32 experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Granite-3.1-1B-A400M",
    architecture="granitemoe",
    metadata={
        "context_length": 131072,
        "embedding_length": 1024,
        "block_count": 24,
        "feed_forward_length": 512,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 64,
        "expert_count": 32,
        "expert_used_count": 8,
        "attention.scale": 0.015625,
        "embedding_scale": 12.0,
        "logit_scale": 6.0,
        "residual_scale": 0.22,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 49155,
    },
    source=(
        "published description of ibm-granite/granite-3.1-1b-a400m-instruct, whose 1,334,628,352 "
        "parameters it gives exactly"
    ),
    uses=("chat", "classification", "tools", "long_context"),
    released="2024-12",
    aliases=("granite-3.1-1b-a400m-instruct",),
    tied=True,
)
