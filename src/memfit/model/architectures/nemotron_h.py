"""Nemotron-H: each layer is one thing only, a Mamba 2 mixer, attention or a feed-forward."""

from __future__ import annotations

import msgspec

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, ends
from memfit.model.architectures._state_blocks import (
    StateSpace,
    mamba2,
    next_token_inputs,
    read_state_space,
    state_blocks,
    state_layer,
    with_experts,
)
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer


def _is_recurrent(block: Block) -> bool:
    return not block.next_token and block.kv_heads == 0 and block.feed_forward == 0


def plan(meta: Metadata) -> Plan:
    """Layers by what each one holds.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space, shared = read_state_space(meta), meta.integer("expert_shared_feed_forward_length", 0)
    return Plan(layers=tuple(_layer(block, space, shared) for block in state_blocks(meta)), memory="hybrid")


def _layer(block: Block, space: StateSpace, shared: int) -> Layer:
    if _is_recurrent(block):
        return state_layer(block, space)
    if block.next_token:
        # one block folds attention and experts; the cache's filter asks for no feed-forward and so leaves it out
        layer = msgspec.structs.replace(block.layer(), cache_of=None if block.feed_forward else block.index)
        return with_experts(layer, block, block.split_expert_length(), shared=shared)
    if block.feed_forward == 0:
        return block.layer()
    if block.experts:
        return with_experts(Layer(attention="none"), block, block.split_expert_length(), shared=shared)
    return Layer(attention="none", feed_forward_length=block.feed_forward)


def tensors(meta: Metadata) -> Tensors:
    """Every tensor; optional biases, which no released model has, left out.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space = read_state_space(meta)
    yield from ends(meta)
    for block in state_blocks(meta):
        yield from block.norm("attn_norm")
        if block.next_token:
            yield from next_token_inputs(block)
            yield from block.attention()
            yield from block.norm("post_attention_norm")
            yield from _experts(block, meta)
        elif _is_recurrent(block):
            yield from mamba2(block, space)
        elif block.feed_forward == 0:
            yield from block.attention()
        elif block.experts:
            yield from _experts(block, meta)
        else:
            yield from block.plain_feed_forward()


def _experts(block: Block, meta: Metadata) -> Tensors:
    """Experts without gate, between a down and an up projection where the model has a latent size."""
    latent = meta.integer("moe_latent_size", 0)
    inner, length = latent or block.width, block.split_expert_length()
    shared = meta.integer("expert_shared_feed_forward_length", 0)
    yield from block.weight("ffn_gate_inp", block.width, block.experts)
    yield f"blk.{block.index}.exp_probs_b.bias", (block.experts,)
    if latent:
        yield from block.weight("ffn_latent_down", block.width, latent)
        yield from block.weight("ffn_latent_up", latent, block.width)
    yield from block.weight("ffn_down_exps", length, inner, block.experts)
    yield from block.weight("ffn_up_exps", inner, length, block.experts)
    yield from block.weight("ffn_down_shexp", shared, block.width)
    yield from block.weight("ffn_up_shexp", block.width, shared)


ARCHITECTURE = Architecture(
    name="nemotron_h",
    summary="Nemotron-H, Nemotron Nano v2, Nemotron 3 Nano 4B",
    source="llama.cpp src/models/nemotron-h.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
