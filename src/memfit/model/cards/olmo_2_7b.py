"""OLMo 2 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="OLMo-2-7B",
    architecture="olmo2",
    metadata={
        "context_length": 4096,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 11008,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 100352,
    },
    source=("published description of allenai/OLMo-2-1124-7B, whose 7,298,617,344 parameters it gives exactly"),
    uses=("chat",),
    released="2024-11",
    aliases=("OLMo-2-1124-7B", "OLMo-2-1124-7B-Instruct"),
)
