"""Qwen2-VL and Qwen2.5-VL: the text half, as Qwen2 but for its three-axis rotary embedding."""

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
    """Biases on query, key and value only.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, output_bias=meta.carries("output.bias"))
    for block in trunk(meta):
        yield from block.norm("attn_norm")
        yield from block.attention(bias=True)
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="qwen2vl",
    summary="Qwen2-VL, Qwen2.5-VL (text half)",
    source="llama.cpp src/models/qwen2vl.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
