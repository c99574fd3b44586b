"""Cosmos Reason2 8B: Qwen3-VL 8B trained further on physical common sense, the text half."""

from memfit.model.cards.qwen3_vl_8b import CARD as BASE

CARD = BASE.named(
    "Cosmos-Reason2-8B",
    source=(
        "published description of nvidia/Cosmos-Reason2-8B: trained on from Qwen3-VL-8B-Instruct, the same "
        "architecture; 8,767,123,696 parameters with the encoder of images"
    ),
    uses=("vision", "reasoning", "long_context"),
    released="2025-12",
    aliases=("nvidia/Cosmos-Reason2-8B",),
)
