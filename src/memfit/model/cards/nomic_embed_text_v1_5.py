"""nomic-embed-text v1.5: text embeddings."""

from memfit.model.cards._card import Card

CARD = Card(
    name="nomic-embed-text-v1.5",
    architecture="nomic-bert",
    metadata={
        "context_length": 2048,
        "embedding_length": 768,
        "block_count": 12,
        "feed_forward_length": 3072,
        "attention.head_count": 12,
        "attention.causal": False,
        "pooling_type": 1,
        "rope.freq_base": 1000.0,
        "tokenizer.ggml.token_type_count": 2,
        "attention.layer_norm_epsilon": 1e-12,
        "vocab_size": 30528,
    },
    source=("published description of nomic-ai/nomic-embed-text-v1.5, whose 136,731,648 parameters it gives exactly"),
    uses=("embedding",),
    released="2024-02",
    aliases=("nomic-embed-text", "nomic-embed-text-v1"),
    tokenizer="bert",
)
