"""Command R 35B, first version."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Command-R",
    architecture="command-r",
    metadata={
        "context_length": 131072,
        "embedding_length": 8192,
        "block_count": 40,
        "feed_forward_length": 22528,
        "attention.head_count": 64,
        "attention.head_count_kv": 64,
        "logit_scale": 0.0625,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 256000,
    },
    source="header of a GGUF conversion of CohereForAI/c4ai-command-r-v01",
    uses=("chat", "tools", "long_context"),
    released="2024-03",
    aliases=("c4ai-command-r-v01",),
    tied=True,
)
