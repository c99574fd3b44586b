"""DeepSeek-R1 distilled into Llama 3 8B."""

from memfit.model.cards.llama_3_1_8b import CARD as BASE

CARD = BASE.named(
    "DeepSeek-R1-Distill-Llama-8B",
    source=(
        "config.json of deepseek-ai/DeepSeek-R1-Distill-Llama-8B as quoted in litgpt "
        "(github.com/Lightning-AI/litgpt litgpt/config.py @ 0006c973)"
    ),
    uses=("reasoning", "chat", "code", "long_context"),
    released="2025-01",
    aliases=("DeepSeek-R1-8B", "DeepSeek-R1-Distill-8B"),
)
