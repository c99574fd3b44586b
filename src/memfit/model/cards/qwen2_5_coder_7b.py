"""Qwen2.5-Coder 7B: Qwen2.5 7B trained further on code."""

from memfit.model.cards.qwen2_5_7b import CARD as BASE

CARD = BASE.named(
    "Qwen2.5-Coder-7B",
    source=(
        "config.json of Qwen/Qwen2.5-Coder-7B as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973): the shape of Qwen2.5 7B"
    ),
    uses=("code", "chat", "bilingual", "long_context"),
    released="2024-09",
    aliases=("Qwen2.5-Coder-7B-Instruct",),
    context_length=32768,
)
