"""Long documents: 8k tokens and more."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="8k tokens and more",
    needs=("long_context",),
    context_tokens=32768,
    least_tokens_per_s=15.0,
    advised=("Llama-3.2-3B", "Gemma-3-1B"),
    aliases=("long",),
)
