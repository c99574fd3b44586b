"""Thinking before answering: mathematics, logic, planning."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="reasoning and mathematics",
    needs=("reasoning",),
    context_tokens=8192,
    least_tokens_per_s=15.0,
    advised=("Phi-4-mini", "Qwen3-4B"),
    aliases=("math", "thinking"),
)
