"""Qwen3 dense: norms on each head, no biases."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.layer() for block in blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """Norms on each head's query and key, no biases.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in trunk(meta):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.head_norms()
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="qwen3",
    summary="Qwen3 dense, Qwen3-Embedding",
    source="llama.cpp src/models/qwen3.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
