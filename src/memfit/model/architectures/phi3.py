"""Phi-3 and Phi-4: query, key and value in one matrix, gate and up in another."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk
from memfit.model.architectures._graphs import attention_plan, rope_tables
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Full attention in every layer: the engine ignores the window that the header gives.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.layer() for block in blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """Long-context models carry two tables for the rotary embedding.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = trunk(meta)
    yield from ends(meta)
    yield from rope_tables(meta, layers[0].key_length)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from block.fused_attention()
        yield from block.norm("ffn_norm")
        yield from block.weight("ffn_up", block.width, 2 * block.feed_forward)
        yield from block.weight("ffn_down", block.feed_forward, block.width)


ARCHITECTURE = Architecture(
    name="phi3",
    summary="Phi-3, Phi-3.5, Phi-4",
    source="llama.cpp src/models/phi3.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
