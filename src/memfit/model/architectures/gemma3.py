"""Gemma 3: five window layers to one of full attention, norms on each head and around each half."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

PERIOD = 6


def _windowed(meta: Metadata) -> tuple[bool, ...] | None:
    return window_pattern(meta, PERIOD) if meta.integer("attention.sliding_window", 0) else None


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every sixth; none at all where the header gives no window.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = (block.layer() for block in blocks(meta, _windowed(meta)))
    return attention_plan(meta, layers, window_tokens=meta.integer("attention.sliding_window", 0))


def tensors(meta: Metadata) -> Tensors:
    """Conversions tie the output matrix to the embedding; fine-tunes may not.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in trunk(meta, _windowed(meta)):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.head_norms()
        yield from block.norm("post_attention_norm")
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()
        yield from block.norm("post_ffw_norm")


ARCHITECTURE = Architecture(
    name="gemma3",
    summary="Gemma 3, the text half of its vision models",
    source="llama.cpp src/models/gemma3.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
