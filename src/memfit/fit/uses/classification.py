"""Sorting, extracting, calling tools: short answers, many of them."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="classification, extraction, tool calls",
    needs=("classification", "tools"),
    context_tokens=2048,
    least_tokens_per_s=50.0,
    advised=("Llama-3.2-1B", "Qwen3-1.7B"),
    aliases=("tools", "tool calling", "extraction"),
)
