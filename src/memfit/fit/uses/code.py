"""Writing and completing programs."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="writing code",
    needs=("code",),
    context_tokens=8192,
    least_tokens_per_s=15.0,
    advised=("Phi-4-mini", "Qwen2.5-Coder-3B"),
    aliases=("coding",),
)
