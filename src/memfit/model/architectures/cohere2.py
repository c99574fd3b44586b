"""Command R7B: three window layers to one of full attention, both halves behind one norm."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

PERIOD = 4


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every fourth.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = (block.layer() for block in blocks(meta, window_pattern(meta, PERIOD)))
    return attention_plan(meta, layers, window_tokens=meta.integer("attention.sliding_window"))


def tensors(meta: Metadata) -> Tensors:
    """One norm a block; the engine loads no output matrix of its own.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, output=False)
    for block in trunk(meta, window_pattern(meta, PERIOD)):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="cohere2",
    summary="Command R7B, Command A, Aya",
    source="llama.cpp src/models/cohere2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
