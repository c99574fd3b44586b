"""Qwen3 4B of August 2025: one version that thinks and one that does not."""

from memfit.model.cards.qwen3_4b import CARD as BASE

CARD = BASE.named(
    "Qwen3-4B-2507",
    source=(
        "config.json of Qwen/Qwen3-4B-Instruct-2507 as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973)"
    ),
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-08",
    aliases=("Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507"),
    context_length=262144,
)
