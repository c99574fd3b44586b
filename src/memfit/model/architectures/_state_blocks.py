"""What recurrent and hybrid architectures share: their layers, their recurrent state and the tensors of their mixers.

Sizes follow ``llama_model_base::load_hparams`` (llama.cpp src/llama-model.cpp), the state ``n_embd_r`` and ``n_embd_s``
(src/llama-hparams.cpp), which layers keep what ``create_memory`` (src/llama-model.cpp), the tensors the
``load_arch_tensors`` of each file in src/models, all at 0c1e57098.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from memfit.model.architectures._blocks import Block, Tensors
from memfit.model.metadata import MOST_EXPERTS, Metadata
from memfit.model.shape import Layer


def state_blocks(meta: Metadata) -> tuple[Block, ...]:
    """Every layer's sizes, next-token-prediction layers last; layers without attention may have no heads.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    count = meta.layer_count()
    trunk = count - meta.integer("nextn_predict_layers", 0, most=count - 1)
    width = meta.integer("embedding_length", least=1)
    heads = meta.per_layer("attention.head_count", count, 0)
    kv_heads = meta.per_layer("attention.head_count_kv", count, heads)
    # the engine takes the head size from the first layer, and none at all where that one has no heads
    key_length, value_length = (
        meta.integer(f"attention.{side}_length", width // heads[0], least=1) if heads[0] else 0
        for side in ("key", "value")
    )
    feed_forward = meta.per_layer("feed_forward_length", count, 0)
    experts = meta.integer("expert_count", 0, most=MOST_EXPERTS)
    active = meta.per_layer("expert_used_count", count, 0)
    if max(active) > experts:
        raise meta.malformed("expert_used_count", f"is {max(active)} of {experts} experts")
    expert_lengths = meta.per_layer("expert_feed_forward_length", count, 0)
    return tuple(
        Block(
            index=index,
            width=width,
            heads=heads[index],
            kv_heads=kv_heads[index],
            key_length=key_length,
            value_length=value_length,
            feed_forward=feed_forward[index],
            experts=experts,
            experts_active=active[index],
            expert_length=expert_lengths[index],
            windowed=False,
            next_token=index >= trunk,
        )
        for index in range(count)
    )


@dataclass(frozen=True)
class StateSpace:
    """The sizes of a Mamba or gated-delta-net mixer, in numbers.

    Attributes:
        convolution: taps of the causal convolution.
        inner: width of the mixer.
        state: numbers of state for each of ``inner``.
        rank: rank of the time step (Mamba 1), or heads (Mamba 2), or value heads (gated delta net).
        groups: groups that share B and C, or key heads (gated delta net).
    """

    convolution: int
    inner: int
    state: int
    rank: int
    groups: int

    @property
    def mixed(self) -> int:
        """Channels that the convolution runs over."""
        return self.inner + 2 * self.groups * self.state

    @property
    def convolution_elements(self) -> int:
        """``n_embd_r``: the last inputs of the convolution; the oldest is shifted out and need not be kept."""
        return max(0, self.convolution - 1) * self.mixed

    @property
    def state_elements(self) -> int:
        """``n_embd_s``."""
        return self.state * self.inner


def read_state_space(meta: Metadata, *, grouped: bool = True) -> StateSpace:
    """Read the mixer's sizes; Mamba 1 has no groups.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    return StateSpace(
        convolution=meta.integer("ssm.conv_kernel"),
        inner=meta.integer("ssm.inner_size"),
        state=meta.integer("ssm.state_size"),
        rank=meta.integer("ssm.time_step_rank"),
        groups=meta.integer("ssm.group_count", least=1) if grouped else 0,
    )


def state_layer(block: Block, space: StateSpace) -> Layer:
    """A layer without attention that keeps a convolution's last inputs and a recurrent state."""
    return Layer(
        attention="none",
        convolution_elements=space.convolution_elements,
        state_elements=space.state_elements,
        feed_forward_length=block.feed_forward,
        next_token=block.next_token,
    )


def with_experts(layer: Layer, block: Block, length: int, *, shared: int = 0) -> Layer:
    """The layer with experts in place of its dense feed-forward, and one of ``shared`` width for every token."""
    return msgspec.structs.replace(
        layer,
        feed_forward_length=0,
        experts=block.experts,
        experts_active=block.experts_active,
        expert_length=length,
        shared_length=shared,
    )


def mamba1(block: Block, space: StateSpace, *, inner_norms: bool = False) -> Tensors:
    """A Mamba 1 mixer; Jamba norms the time step, B and C."""
    yield from block.weight("ssm_in", block.width, 2 * space.inner)
    yield from block.weight("ssm_conv1d", space.convolution, space.inner, bias=True)
    yield from block.weight("ssm_x", space.inner, space.rank + 2 * space.state)
    yield from block.weight("ssm_dt", space.rank, space.inner, bias=True)
    if inner_norms:
        yield from block.norm("ssm_dt_norm", space.rank)
        yield from block.norm("ssm_b_norm", space.state)
        yield from block.norm("ssm_c_norm", space.state)
    # the engine asks for these two without ".weight"
    yield f"blk.{block.index}.ssm_a", (space.state, space.inner)
    yield f"blk.{block.index}.ssm_d", (space.inner,)
    yield from block.weight("ssm_out", space.inner, block.width)


def mamba2(block: Block, space: StateSpace, *, group_norm: bool = True) -> Tensors:
    """A Mamba 2 mixer: gate, B, C and time step in one matrix."""
    yield from block.weight("ssm_in", block.width, space.inner + space.mixed + space.rank)
    yield from block.weight("ssm_conv1d", space.convolution, space.mixed, bias=True)
    yield f"blk.{block.index}.ssm_dt.bias", (space.rank,)
    yield f"blk.{block.index}.ssm_a", (1, space.rank)
    yield f"blk.{block.index}.ssm_d", (1, space.rank)
    if group_norm:
        yield from block.weight("ssm_norm", space.inner // space.groups, space.groups)
    yield from block.weight("ssm_out", space.inner, block.width)


def next_token_inputs(block: Block) -> Tensors:
    """What joins the hidden state and the next token's embedding in a next-token-prediction layer."""
    yield from block.weight("nextn.eh_proj", 2 * block.width, block.width)
    for name in ("enorm", "hnorm", "shared_head_norm"):
        yield from block.norm(f"nextn.{name}")
