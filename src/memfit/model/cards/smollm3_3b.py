"""SmolLM3 3B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="SmolLM3-3B",
    architecture="smollm3",
    metadata={
        "context_length": 65536,
        "embedding_length": 2048,
        "block_count": 36,
        "feed_forward_length": 11008,
        "attention.head_count": 16,
        "attention.head_count_kv": 4,
        "rope.dimension_count": 128,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 128256,
    },
    source=(
        "header of a GGUF conversion of HuggingFaceTB/SmolLM3-3B in public logs "
        "(github.com/ggml-org/llama.cpp/pull/14581)"
    ),
    uses=("chat", "reasoning", "tools", "long_context"),
    released="2025-07",
    aliases=("SmolLM3",),
    tied=True,
)
