"""Vectors for search."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="vectors for search",
    needs=("embedding",),
    context_tokens=512,
    least_tokens_per_s=0.0,
    source="no chart: any model that gives vectors",
    aliases=("embeddings", "retrieval"),
)
