"""Ministral 8B of October 2024, which llama.cpp runs with full attention in every layer."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Ministral-8B",
    architecture="llama",
    metadata={
        "context_length": 32768,
        "embedding_length": 4096,
        "block_count": 36,
        "feed_forward_length": 12288,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 131072,
    },
    source=(
        "config.json of mistralai/Ministral-8B-Instruct-2410 as quoted in GenZ-LLM-Analyzer "
        "(github.com/abhibambhaniya/GenZ-LLM-Analyzer GenZ/Models/Model_sets/mistral.py @ 13ebfb84); published "
        "description of mistralai/Ministral-8B-Instruct-2410, whose 8,019,808,256 parameters it gives exactly"
    ),
    uses=("chat", "tools", "long_context"),
    released="2024-10",
    aliases=("Ministral-8B-2410", "Ministral-8B-Instruct-2410"),
)
