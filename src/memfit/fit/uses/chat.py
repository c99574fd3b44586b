"""General conversation."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="chat and assistants",
    needs=("chat",),
    least_tokens_per_s=20.0,
    advised=("Llama-3.2-3B", "Gemma-2-2B"),
    aliases=("assistant",),
)
