"""Images and text."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="images and text",
    needs=("vision",),
    least_tokens_per_s=15.0,
    advised=("Gemma-3-4B",),
    aliases=("multimodal", "vlm"),
)
