"""Qwen2.5-Coder 14B: Qwen2.5 14B trained further on code."""

from memfit.model.cards.qwen2_5_14b import CARD as BASE

CARD = BASE.named(
    "Qwen2.5-Coder-14B",
    source=(
        "config.json of Qwen/Qwen2.5-Coder-14B as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973): the shape of Qwen2.5 14B"
    ),
    uses=("code", "chat", "bilingual", "long_context"),
    released="2024-11",
    aliases=("Qwen2.5-Coder-14B-Instruct",),
    context_length=32768,
)
