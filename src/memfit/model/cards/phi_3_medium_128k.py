"""Phi-3 medium 14B with 128k tokens of context."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Phi-3-medium-128k",
    architecture="phi3",
    metadata={
        "context_length": 131072,
        "embedding_length": 5120,
        "block_count": 40,
        "feed_forward_length": 17920,
        "attention.head_count": 40,
        "attention.head_count_kv": 10,
        "rope.dimension_count": 128,
        "attention.sliding_window": 0,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 32064,
    },
    source=(
        "header of a GGUF conversion of microsoft/Phi-3-medium-128k-instruct in public logs "
        "(github.com/ggml-org/llama.cpp/issues/7439), layers and heads as quoted in GenZ-LLM-Analyzer "
        "(github.com/abhibambhaniya/GenZ-LLM-Analyzer GenZ/Models/Model_sets/microsoft.py @ 13ebfb84); published "
        "description of microsoft/Phi-3-medium-128k-instruct, whose 13,960,238,080 parameters it gives exactly"
    ),
    uses=("reasoning", "chat", "code", "long_context"),
    released="2024-05",
    aliases=("Phi-3-medium", "Phi-3-medium-128k-instruct"),
    tokenizer="llama",
    optional_tensors=("rope_factors_long", "rope_factors_short"),
)
