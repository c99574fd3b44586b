"""Qwen1.5-MoE and Qwen2-MoE: experts beside a gated one that every token uses."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, ends, expert_blocks, expert_trunk
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata


def _shared_length(meta: Metadata, block: Block) -> int:
    # files without the key mean the dense width
    return meta.integer("expert_shared_feed_forward_length", 0) or block.feed_forward


def plan(meta: Metadata) -> Plan:
    """Experts and a shared one in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(
        meta,
        (
            block.expert_layer(block.split_expert_length(), shared=_shared_length(meta, block))
            for block in expert_blocks(meta)
        ),
    )


def tensors(meta: Metadata) -> Tensors:
    """Biases on query, key and value; a gate decides how much of the shared expert counts.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in expert_trunk(meta):
        yield from block.norm("attn_norm")
        yield from block.attention(bias=True)
        yield from block.norm("ffn_norm")
        yield from block.expert_feed_forward(block.split_expert_length())
        yield from block.weight("ffn_gate_inp_shexp", block.width)
        yield from block.shared_expert(_shared_length(meta, block))


ARCHITECTURE = Architecture(
    name="qwen2moe",
    summary="Qwen1.5-MoE, Qwen2-MoE",
    source="llama.cpp src/models/qwen2moe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
