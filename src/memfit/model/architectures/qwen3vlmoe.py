"""Qwen3-VL with experts: the text half."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends, expert_blocks, expert_trunk
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Experts in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.expert_layer(block.split_expert_length()) for block in expert_blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """Norms on each head's query and key, no biases.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in expert_trunk(meta):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.head_norms()
        yield from block.norm("ffn_norm")
        yield from block.expert_feed_forward(block.split_expert_length())


ARCHITECTURE = Architecture(
    name="qwen3vlmoe",
    summary="Qwen3-VL-30B-A3B, Qwen3-VL-235B-A22B (text half)",
    source="llama.cpp src/models/qwen3vlmoe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
