"""Qwen3-Coder 30B-A3B: the shape of Qwen3 30B-A3B, for code and agents."""

from memfit.model.cards.qwen3_30b_a3b import CARD as BASE

CARD = BASE.named(
    "Qwen3-Coder-30B-A3B",
    source=(
        "config.json of Qwen/Qwen3-Coder-30B-A3B-Instruct: layers, heads and experts of Qwen3-30B-A3B, 262,144 "
        "tokens of context"
    ),
    uses=("code", "chat", "tools", "long_context"),
    released="2025-07",
    aliases=("Qwen3-Coder-30B-A3B-Instruct", "Qwen3-Coder-30B"),
    context_length=262144,
)
