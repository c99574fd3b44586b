"""Mistral Nemo 12B: heads that are together narrower than the model."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mistral-Nemo-12B",
    architecture="llama",
    metadata={
        "context_length": 1024000,  # in the header; its makers vouch for 128k
        "embedding_length": 5120,
        "block_count": 40,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 131072,
    },
    source=(
        "header of Ollama's mistral-nemo in public (github.com/ollama/ollama/issues/8277); published description "
        "of mistralai/Mistral-Nemo-Instruct-2407, whose 12,247,782,400 parameters it gives exactly"
    ),
    uses=("chat", "tools", "long_context"),
    released="2024-07",
    aliases=("Mistral-Nemo", "Mistral-Nemo-Instruct-2407", "Mistral-Nemo-Base-2407"),
)
