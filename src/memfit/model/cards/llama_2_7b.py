"""Meta Llama 2 7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-2-7B",
    architecture="llama",
    metadata={
        "context_length": 4096,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 11008,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32000,
    },
    source=("published description of meta-llama/Llama-2-7b-hf, whose 6,738,415,616 parameters it gives exactly"),
    uses=("chat",),
    released="2023-07",
    aliases=("Llama-2-7B-chat", "Llama-2-7b-hf"),
    tokenizer="llama",
)
