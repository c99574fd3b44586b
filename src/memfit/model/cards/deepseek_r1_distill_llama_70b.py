"""DeepSeek-R1 distilled into Llama 3 70B."""

from memfit.model.cards.llama_3_3_70b import CARD as BASE

CARD = BASE.named(
    "DeepSeek-R1-Distill-Llama-70B",
    source=(
        "config.json of deepseek-ai/DeepSeek-R1-Distill-Llama-70B as quoted in litgpt "
        "(github.com/Lightning-AI/litgpt litgpt/config.py @ 0006c973)"
    ),
    uses=("reasoning", "chat", "code", "long_context"),
    released="2025-01",
    aliases=("DeepSeek-R1-70B", "DeepSeek-R1-Distill-70B"),
)
