"""DeepSeek R1 671B: DeepSeek V3 trained to reason."""

from memfit.model.cards.deepseek_v3 import CARD as BASE

CARD = BASE.named(
    "DeepSeek-R1",
    source=(
        "published description of deepseek-ai/DeepSeek-R1: trained on DeepSeek-V3-Base "
        "(github.com/deepseek-ai/DeepSeek-R1 README.md)"
    ),
    uses=("reasoning", "chat", "code", "bilingual", "long_context"),
    released="2025-01",
    aliases=("DeepSeek-R1-671B", "DeepSeek-R1-0528"),
)
