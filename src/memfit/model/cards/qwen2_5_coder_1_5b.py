"""Qwen2.5-Coder 1.5B: Qwen2.5 1.5B trained further on code."""

from memfit.model.cards.qwen2_5_1_5b import CARD as BASE

CARD = BASE.named(
    "Qwen2.5-Coder-1.5B",
    source=(
        "config.json of Qwen/Qwen2.5-Coder-1.5B as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973): the shape of Qwen2.5 1.5B"
    ),
    uses=("code", "chat", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-Coder-1.5B-Instruct",),
    context_length=32768,
)
