"""Cosmos Reason1 7B: Qwen2.5-VL 7B trained further on physical common sense, the text half."""

from memfit.model.cards.qwen2_5_vl_7b import CARD as BASE

CARD = BASE.named(
    "Cosmos-Reason1-7B",
    source=(
        "published description of nvidia/Cosmos-Reason1-7B: trained on from Qwen2.5-VL-7B-Instruct, the same "
        "architecture"
    ),
    uses=("vision", "reasoning", "long_context"),
    released="2025-05",
)
