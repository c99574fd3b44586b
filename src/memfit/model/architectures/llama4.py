"""Llama 4: three chunked layers to one of full attention, experts beside a shared one."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, ends, expert_blocks, expert_trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan, rope_tables
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer

PERIOD = 4
CHUNK_TOKENS = 8192  # set by load_arch_hparams whatever the header says


def _windowed(meta: Metadata) -> tuple[bool, ...] | None:
    # a stated window of 0 turns chunks off; any other value, or none, turns them on
    return window_pattern(meta, PERIOD) if meta.integer("attention.sliding_window", CHUNK_TOKENS) else None


def _has_experts(meta: Metadata, block: Block) -> bool:
    step = meta.integer("interleave_moe_layer_step")
    return step > 0 and (block.index + 1) % step == 0


def _layer(meta: Metadata, block: Block) -> Layer:
    if _has_experts(meta, block):
        return block.expert_layer(block.expert_length, shared=block.expert_length, window="chunked")
    return block.layer(window="chunked")


def plan(meta: Metadata) -> Plan:
    """Chunks in all layers but every fourth; experts in every ``interleave_moe_layer_step``-th.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    windowed = _windowed(meta)
    layers = (_layer(meta, block) for block in expert_blocks(meta, windowed, stated=True))
    return attention_plan(meta, layers, window_tokens=CHUNK_TOKENS if windowed else 0)


def tensors(meta: Metadata) -> Tensors:
    """The shared expert is as wide as one of the others.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = expert_trunk(meta, _windowed(meta), stated=True)
    yield from ends(meta)
    yield from rope_tables(meta, layers[0].key_length)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.norm("ffn_norm")
        if _has_experts(meta, block):
            yield from block.expert_feed_forward(block.expert_length)
            yield from block.shared_expert(block.expert_length)
        else:
            yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="llama4",
    summary="Llama 4 Scout and Maverick",
    source="llama.cpp src/models/llama4.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
