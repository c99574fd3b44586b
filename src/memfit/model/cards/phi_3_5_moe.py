"""Phi-3.5-MoE: two of sixteen experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-3.5-MoE",
    architecture="phimoe",
    metadata={
        "context_length": 131072,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 6400,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "rope.dimension_count": 128,
        "expert_count": 16,
        "expert_used_count": 2,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32064,
    },
    source=(
        "published description of microsoft/Phi-3.5-MoE-instruct, whose 41,873,153,344 parameters it gives exactly"
    ),
    uses=("reasoning", "chat", "code", "long_context"),
    released="2024-08",
    aliases=("Phi-3.5-MoE-instruct",),
    tokenizer="llama",
    optional_tensors=("rope_factors_long", "rope_factors_short"),
)
