"""Nemotron Mini 4B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Nemotron-Mini-4B",
    architecture="nemotron",
    metadata={
        "context_length": 4096,
        "embedding_length": 3072,
        "block_count": 32,
        "feed_forward_length": 9216,
        "attention.head_count": 24,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 64,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 256000,
    },
    source=("published description of nvidia/Nemotron-Mini-4B-Instruct, whose 4.19 billion parameters it gives"),
    uses=("chat", "tools"),
    aliases=("Nemotron-Mini-4B-Instruct", "Minitron-4B"),
    tokenizer="llama",
)
