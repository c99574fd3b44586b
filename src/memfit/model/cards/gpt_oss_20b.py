"""gpt-oss 20B: four of 32 experts for each token."""

from memfit.model.cards._card import Card

CARD = Card(
    name="gpt-oss-20b",
    architecture="gpt-oss",
    metadata={
        "context_length": 131072,
        "embedding_length": 2880,
        "block_count": 24,
        "feed_forward_length": 2880,
        "attention.head_count": 64,
        "attention.head_count_kv": 8,
        "attention.key_length": 64,
        "attention.value_length": 64,
        "rope.dimension_count": 64,
        "attention.sliding_window": 128,
        "expert_count": 32,
        "expert_used_count": 4,
        "expert_feed_forward_length": 2880,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 201088,
    },
    source="config.json of openai/gpt-oss-20b",
    uses=("reasoning", "chat", "tools", "code", "long_context"),
    released="2025-08",
    native_format="MXFP4_MOE",
)
