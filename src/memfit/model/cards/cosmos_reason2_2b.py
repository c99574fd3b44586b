"""Cosmos Reason2 2B: Qwen3-VL 2B trained further on physical common sense, the text half."""

from memfit.model.cards.qwen3_vl_2b import CARD as BASE

CARD = BASE.named(
    "Cosmos-Reason2-2B",
    source=(
        "published description of nvidia/Cosmos-Reason2-2B: trained on from Qwen3-VL-2B-Instruct, the same architecture"
    ),
    uses=("vision", "reasoning", "long_context"),
    released="2025-12",
    aliases=("nvidia/Cosmos-Reason2-2B",),
)
