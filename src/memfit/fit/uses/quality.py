"""The most that the device can hold, however slowly."""

from memfit.fit.uses._use import CHART, Use

USE = Use(
    summary="maximum quality, slower",
    needs=("chat", "reasoning"),
    context_tokens=1024,
    least_tokens_per_s=5.0,
    advised=("Llama-3.1-8B",),
    source=f"{CHART}; the chart names a Llama 3.3 8B, which does not exist; its 8B is Llama 3.1's",
    aliases=("maximum quality", "best"),
)
