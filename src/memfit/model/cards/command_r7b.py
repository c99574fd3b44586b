"""Command R7B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Command-R7B",
    architecture="cohere2",
    metadata={
        "context_length": 8192,
        "embedding_length": 4096,
        "block_count": 32,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "attention.sliding_window": 4096,
        "logit_scale": 0.25,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 256000,
    },
    source=(
        "header of a GGUF conversion of CohereForAI/c4ai-command-r7b-12-2024 in public logs "
        "(github.com/ggml-org/llama.cpp/pull/10900)"
    ),
    uses=("chat", "tools"),
    released="2024-12",
    aliases=("c4ai-command-r7b-12-2024",),
    tied=True,
)
