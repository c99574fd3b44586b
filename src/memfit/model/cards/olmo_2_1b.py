"""OLMo 2 1B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="OLMo-2-1B",
    architecture="olmo2",
    metadata={
        "context_length": 4096,
        "embedding_length": 2048,
        "block_count": 16,
        "feed_forward_length": 8192,
        "attention.head_count": 16,
        "attention.head_count_kv": 16,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 100352,
    },
    source=("published description of allenai/OLMo-2-0425-1B, whose 1,484,916,736 parameters it gives exactly"),
    uses=("chat",),
    released="2025-04",
    aliases=("OLMo-2-0425-1B", "OLMo-2-0425-1B-Instruct"),
)
