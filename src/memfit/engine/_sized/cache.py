"""Bytes of KV caches and recurrent state as engines with pools lay them out."""

from __future__ import annotations

from memfit.engine._sized.figures import NOTHING, Range
from memfit.engine._sized.request import Request


def reserved_kv_bytes(wanted: Request) -> int:
    """Caches of the whole context for every request, in all layers alike: engines that allocate them at start."""
    if wanted.shape.memory == "none":
        return 0
    elements = wanted.facts.full_elements + wanted.facts.window_elements
    return elements * wanted.kv_element_bytes * wanted.context_tokens * wanted.slots


def paged_kv_bytes(wanted: Request, *, page_tokens: int = 16) -> int:
    """Pages that every request needs at its full context.

    A layer with a window keeps the window and the tokens of one batch, and a page more as a window starts anywhere in
    one (``SlidingWindowSpec`` and ``ChunkedLocalAttentionSpec``, vLLM vllm/v1/kv_cache_interface.py).
    """
    if wanted.shape.memory == "none":
        return 0
    full = _pages(wanted.context_tokens, page_tokens)
    within = min(wanted.shape.window_tokens - 1 + wanted.batch_tokens, wanted.context_tokens)
    window = min(full, _pages(within, page_tokens) + 1)
    elements = wanted.facts.full_elements * full + wanted.facts.window_elements * window
    return elements * page_tokens * wanted.kv_element_bytes * wanted.slots


def state_bytes(wanted: Request) -> Range:
    """Recurrent and convolution state of every request.

    Engines keep it in the model's 16 bits or in 32, by model and option (vLLM ``mamba_ssm_cache_dtype``).
    """
    numbers = wanted.facts.state_elements * wanted.slots
    return Range(2 * numbers, 4 * numbers, 4 * numbers) if numbers else NOTHING


def _pages(tokens: int, page_tokens: int) -> int:
    return -(-tokens // page_tokens)
