"""Phi-4 reasoning 14B: Phi-4 trained to think before it answers."""

from memfit.model.cards.phi_4 import CARD as BASE

CARD = BASE.named(
    "Phi-4-reasoning",
    source=(
        "config.json of microsoft/Phi-4-reasoning as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973)"
    ),
    uses=("reasoning", "code", "long_context"),
    released="2025-04",
    aliases=("Phi-4-reasoning-plus",),
    context_length=32768,
)
