"""DeepSeek-R1 distilled into Qwen2.5 32B."""

from memfit.model.cards.qwen2_5_32b import CARD as BASE

CARD = BASE.named(
    "DeepSeek-R1-Distill-Qwen-32B",
    source=(
        "published list of DeepSeek-R1's distilled models and their bases (github.com/deepseek-ai/DeepSeek-R1 "
        "README.md): the shape of Qwen2.5 32B"
    ),
    uses=("reasoning", "chat", "code", "bilingual", "long_context"),
    released="2025-01",
    aliases=("DeepSeek-R1-32B", "DeepSeek-R1-Distill-32B"),
)
