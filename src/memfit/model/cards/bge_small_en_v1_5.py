"""BGE small, English, version 1.5: sentence embeddings."""

from memfit.model.cards._card import Card

CARD = Card(
    name="bge-small-en-v1.5",
    architecture="bert",
    metadata={
        "context_length": 512,
        "embedding_length": 384,
        "block_count": 12,
        "feed_forward_length": 1536,
        "attention.head_count": 12,
        "attention.causal": False,
        "pooling_type": 2,
        "tokenizer.ggml.token_type_count": 2,
        "attention.layer_norm_epsilon": 1e-12,
        "vocab_size": 30522,
    },
    source=(
        "config.json of BAAI/bge-small-en-v1.5; its published description counts 33,360,000 parameters, 147,840 "
        "of them in a pooler that conversions leave out"
    ),
    uses=("embedding",),
    released="2023-09",
    aliases=("bge-small", "bge-small-en"),
    tokenizer="bert",
)
