"""Phi-4 mini reasoning 3.8B: Phi-4 mini trained for mathematics."""

from memfit.model.cards.phi_4_mini import CARD as BASE

CARD = BASE.named(
    "Phi-4-mini-reasoning",
    source=(
        "config.json of microsoft/Phi-4-mini-reasoning as quoted in litgpt (github.com/Lightning-AI/litgpt "
        "litgpt/config.py @ 0006c973)"
    ),
    uses=("reasoning", "long_context"),
    released="2025-04",
)
