"""all-MiniLM-L6-v2: sentence embeddings."""

from memfit.model.cards._card import Card

CARD = Card(
    name="all-MiniLM-L6-v2",
    architecture="bert",
    metadata={
        "context_length": 512,
        "embedding_length": 384,
        "block_count": 6,
        "feed_forward_length": 1536,
        "attention.head_count": 12,
        "attention.causal": False,
        "pooling_type": 1,
        "tokenizer.ggml.token_type_count": 2,
        "attention.layer_norm_epsilon": 1e-12,
        "vocab_size": 30522,
    },
    source="header of a GGUF conversion of sentence-transformers/all-MiniLM-L6-v2",
    uses=("embedding",),
    aliases=("MiniLM-L6",),
    tokenizer="bert",
)
