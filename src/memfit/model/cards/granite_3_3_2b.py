"""Granite 3.3 2B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Granite-3.3-2B",
    architecture="granite",
    metadata={
        "context_length": 131072,
        "embedding_length": 2048,
        "block_count": 40,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 64,
        "attention.scale": 0.015625,
        "embedding_scale": 12.0,
        "logit_scale": 8.0,
        "residual_scale": 0.22,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 49159,
    },
    source=(
        "published description of ibm-granite/granite-3.3-2b-instruct, whose 2,533,539,840 parameters it gives exactly"
    ),
    uses=("chat", "classification", "tools", "reasoning", "long_context"),
    released="2025-04",
    aliases=("granite-3.3-2b-instruct",),
    tied=True,
)
