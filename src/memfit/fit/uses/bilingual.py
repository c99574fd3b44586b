"""Chinese and English."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="Chinese and English",
    needs=("bilingual",),
    least_tokens_per_s=15.0,
    advised=("Qwen3-4B", "Qwen2.5-3B"),
    aliases=("chinese",),
)
