"""Mistral Small 3, 24B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Mistral-Small-24B",
    architecture="llama",
    metadata={
        "context_length": 32768,
        "embedding_length": 5120,
        "block_count": 40,
        "feed_forward_length": 32768,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 131072,
    },
    source=(
        "config.json of mistralai/Mistral-Small-24B-Base-2501 as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973); context as its makers state; published description of "
        "mistralai/Mistral-Small-24B-Instruct-2501, whose 23,572,403,200 parameters it gives exactly"
    ),
    uses=("chat", "tools", "long_context"),
    released="2025-01",
    aliases=("Mistral-Small", "Mistral-Small-3", "Mistral-Small-24B-Instruct-2501", "Mistral-Small-24B-Base-2501"),
)
