"""Qwen3.6 35B with 3B active: the shape of Qwen3.5 35B-A3B."""

from memfit.model.cards.qwen3_5_35b_a3b import CARD as BASE

CARD = BASE.named(
    "Qwen3.6-35B-A3B",
    source=(
        "header of a GGUF conversion of Qwen/Qwen3.6-35B-A3B in public logs "
        "(github.com/ggml-org/llama.cpp/pull/22673), as far as it is quoted that of Qwen3.5-35B-A3B"
    ),
    uses=("reasoning", "chat", "tools", "code", "vision", "bilingual", "long_context"),
)
