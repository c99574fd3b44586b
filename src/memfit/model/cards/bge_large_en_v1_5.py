"""BGE large, English, version 1.5: sentence embeddings."""

from memfit.model.cards._card import Card

CARD = Card(
    name="bge-large-en-v1.5",
    architecture="bert",
    metadata={
        "context_length": 512,
        "embedding_length": 1024,
        "block_count": 24,
        "feed_forward_length": 4096,
        "attention.head_count": 16,
        "attention.causal": False,
        "pooling_type": 2,
        "tokenizer.ggml.token_type_count": 2,
        "attention.layer_norm_epsilon": 1e-12,
        "vocab_size": 30522,
    },
    source=(
        "config.json of BAAI/bge-large-en-v1.5; its published description counts 335,141,888 parameters, "
        "1,049,600 of them in a pooler that conversions leave out"
    ),
    uses=("embedding",),
    released="2023-09",
    aliases=("bge-large", "bge-large-en"),
    tokenizer="bert",
)
