"""The record of a use."""

from __future__ import annotations

from dataclasses import dataclass

CHART = "decision chart of 'LLM Optimization on Jetson' §2.4"


@dataclass(frozen=True)
class Use:
    """Something that people look for a model for.

    Attributes:
        summary: one line.
        needs: a model serves it that has one of these uses in its card.
        context_tokens: that is usual for it.
        least_tokens_per_s: slower is of no use; the speeds of the chart's own picks, rounded down.
        prefers: ``large`` ranks by what a model can do, ``fast`` by its speed.
        advised: what the chart names, marked where it is in the list and never moved.
        source: where the figures are from.
        aliases: other words people type.
    """

    summary: str
    needs: tuple[str, ...]
    context_tokens: int = 4096
    least_tokens_per_s: float = 10.0
    prefers: str = "large"
    advised: tuple[str, ...] = ()
    source: str = CHART
    aliases: tuple[str, ...] = ()
