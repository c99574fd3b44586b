"""Cosmos Reason2 8B: Qwen3-VL 8B trained further on physical common sense, the text half."""

from memfit.model.cards.qwen3_vl_8b import CARD as BASE

CARD = BASE.named(
    "Cosmos-Reason2-8B",
    source=(
        "published description of nvidia/Cosmos-Reason2-8B: Qwen3-VL 8B trained further "
        "(github.com/NVIDIA-AI-IOT/jetson-ai-lab src/content/models/cosmos-reason2-8b.md)"
    ),
    uses=("vision", "reasoning", "long_context"),
    released="2025-12",
    aliases=("nvidia/Cosmos-Reason2-8B",),
)
