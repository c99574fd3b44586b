"""Qwen3-Coder 30B-A3B: the shape of Qwen3 30B-A3B, for code and agents."""

from memfit.model.cards.qwen3_30b_a3b import CARD as BASE

CARD = BASE.named(
    "Qwen3-Coder-30B-A3B",
    source=(
        "header of a GGUF conversion of Qwen/Qwen3-Coder-30B-A3B-Instruct in public logs "
        "(github.com/ggml-org/llama.cpp/issues/15009); context as its makers state"
    ),
    uses=("code", "chat", "tools", "long_context"),
    released="2025-07",
    aliases=("Qwen3-Coder-30B-A3B-Instruct", "Qwen3-Coder-30B"),
    context_length=262144,
)
