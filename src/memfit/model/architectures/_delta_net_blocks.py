"""What the Qwen hybrids share: gated delta nets, one attention layer in four, and a next-token-prediction layer.

Follows llama.cpp src/models/{qwen35,qwen35moe,qwen3next}.cpp at 0c1e57098.
"""

from __future__ import annotations

from memfit.model.architectures._architecture import Plan
from memfit.model.architectures._blocks import Block, Tensors, ends
from memfit.model.architectures._state_blocks import (
    StateSpace,
    next_token_inputs,
    read_state_space,
    state_blocks,
    state_layer,
    with_experts,
)
from memfit.model.metadata import Metadata

FULL_ATTENTION_INTERVAL = 4  # full_attn_interval, the default of load_arch_hparams in those files


def _recurrent_layers(meta: Metadata, blocks: tuple[Block, ...]) -> tuple[bool, ...]:
    """Which layers keep a state; next-token-prediction layers never do."""
    stated = meta.flags("attention.recurrent_layers", len(blocks))
    if stated is not None:
        return tuple(flag and not block.next_token for flag, block in zip(stated, blocks, strict=True))
    interval = meta.integer("full_attention_interval", FULL_ATTENTION_INTERVAL, least=1)
    return tuple(not block.next_token and (block.index + 1) % interval != 0 for block in blocks)


def delta_net_plan(meta: Metadata) -> Plan:
    """Layers of a Qwen hybrid, dense or with experts.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    blocks, space = state_blocks(meta), read_state_space(meta)
    layers = [
        state_layer(block, space) if recurrent else block.layer()
        for block, recurrent in zip(blocks, _recurrent_layers(meta, blocks), strict=True)
    ]
    if blocks[0].experts:
        length, shared = blocks[0].split_expert_length(), _shared_length(meta, blocks)
        layers = [
            with_experts(layer, block, length, shared=shared) for layer, block in zip(layers, blocks, strict=True)
        ]
    return Plan(layers=tuple(layers), memory="hybrid")


def _shared_length(meta: Metadata, blocks: tuple[Block, ...]) -> int:
    # files without the key mean the dense width
    return meta.integer("expert_shared_feed_forward_length", 0) or blocks[0].feed_forward


def delta_net_tensors(meta: Metadata, *, joined_beta_alpha: bool = False) -> Tensors:
    """Every tensor, the next-token-prediction layer's too (the engine skips those unless asked for them).

    Args:
        meta: the header.
        joined_beta_alpha: Qwen3-Next keeps beta and alpha in one matrix.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    blocks, space = state_blocks(meta), read_state_space(meta)
    length, shared = blocks[0].split_expert_length(), _shared_length(meta, blocks)
    yield from ends(meta)
    for block, recurrent in zip(blocks, _recurrent_layers(meta, blocks), strict=True):
        yield from block.norm("attn_norm")
        yield from _delta_net(block, space, joined_beta_alpha) if recurrent else _gated_attention(block)
        yield from block.norm("post_attention_norm")
        if block.experts:
            yield from block.expert_feed_forward(length)
            yield from block.norm("ffn_gate_inp_shexp")
            yield from block.shared_expert(shared)
        else:
            yield from block.gated_feed_forward()
        if block.next_token:
            yield from next_token_inputs(block)


def _gated_attention(block: Block) -> Tensors:
    """Attention whose query matrix also makes an output gate, with norms on each head."""
    query = block.heads * block.key_length
    yield from block.weight("attn_q", block.width, 2 * query)
    yield from block.weight("attn_k", block.width, block.kv_heads * block.key_length)
    yield from block.weight("attn_v", block.width, block.kv_heads * block.value_length)
    yield from block.weight("attn_output", query, block.width)
    yield from block.head_norms()


def _delta_net(block: Block, space: StateSpace, joined_beta_alpha: bool) -> Tensors:
    value = space.state * space.rank
    mixed = 2 * space.state * space.groups + value
    yield from block.weight("attn_qkv", block.width, mixed)
    yield from block.weight("attn_gate", block.width, value)
    yield from block.weight("ssm_conv1d", space.convolution, mixed)
    yield f"blk.{block.index}.ssm_dt.bias", (space.rank,)
    yield f"blk.{block.index}.ssm_a", (space.rank,)
    if joined_beta_alpha:
        yield from block.weight("ssm_ba", block.width, 2 * space.rank)
    else:
        yield from block.weight("ssm_beta", block.width, space.rank)
        yield from block.weight("ssm_alpha", block.width, space.rank)
    yield from block.norm("ssm_norm", space.state)
    yield from block.weight("ssm_out", value, block.width)
