"""Jamba: Mamba with an attention layer in eight, experts in every second layer."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, ends
from memfit.model.architectures._state_blocks import mamba1, read_state_space, state_blocks, state_layer, with_experts
from memfit.model.metadata import Metadata

# expert_layer_period and expert_layer_offset of every released Jamba, which no key of the file tells
EXPERT_PERIOD, EXPERT_OFFSET = 2, 1


def _has_experts(block: Block, meta: Metadata) -> bool:
    """Whether the file holds a router, as the engine asks; the usual pattern where no tensor is listed."""
    if meta.carries("token_embd.weight"):
        return meta.carries(f"blk.{block.index}.ffn_gate_inp.weight")
    return block.experts > 1 and block.index % EXPERT_PERIOD == EXPERT_OFFSET


def plan(meta: Metadata) -> Plan:
    """Layers; those without key/value heads keep a state.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space = read_state_space(meta, grouped=False)
    layers = []
    for block in state_blocks(meta):
        layer = block.layer() if block.kv_heads else state_layer(block, space)
        layers.append(with_experts(layer, block, block.feed_forward) if _has_experts(block, meta) else layer)
    return Plan(layers=tuple(layers), memory="hybrid")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space = read_state_space(meta, grouped=False)
    yield from ends(meta)
    for block in state_blocks(meta):
        yield from block.norm("attn_norm")
        yield from block.attention() if block.kv_heads else mamba1(block, space, inner_norms=True)
        yield from block.norm("ffn_norm")
        if _has_experts(block, meta):
            yield from block.expert_feed_forward(block.feed_forward)
        else:
            yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="jamba",
    summary="Jamba, Jamba 1.5 Mini and Large, Jamba Reasoning 3B",
    source="llama.cpp src/models/jamba.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
