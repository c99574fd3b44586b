"""Granite 4 hybrid: Mamba 2 with an attention layer in ten, each with a feed-forward or experts and a shared one."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends
from memfit.model.architectures._state_blocks import mamba2, read_state_space, state_blocks, state_layer, with_experts
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers; those without key/value heads keep a state.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space, shared = read_state_space(meta), meta.integer("expert_shared_feed_forward_length", 0)
    layers = []
    for block in state_blocks(meta):
        layer = block.layer() if block.kv_heads else state_layer(block, space)
        layers.append(with_experts(layer, block, block.feed_forward, shared=shared) if block.experts else layer)
    return Plan(layers=tuple(layers), memory="hybrid")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor; optional biases, which no released model has, left out.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space, shared = read_state_space(meta), meta.integer("expert_shared_feed_forward_length", 0)
    yield from ends(meta)
    for block in state_blocks(meta):
        yield from block.norm("attn_norm")
        yield from block.attention() if block.kv_heads else mamba2(block, space)
        yield from block.norm("ffn_norm")
        if not block.experts:
            yield from block.gated_feed_forward()
            continue
        yield from block.expert_feed_forward(block.feed_forward)
        if shared:
            yield from block.shared_expert(shared)


ARCHITECTURE = Architecture(
    name="granitehybrid",
    summary="Granite 4.0 H (350M, 1B, Micro, Tiny, Small), Bamba",
    source="llama.cpp src/models/granite-hybrid.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
