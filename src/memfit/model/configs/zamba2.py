"""Zamba2: Mamba 2 layers, and a few transformer blocks that many layers share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memfit.model.architectures import Plan, TensorSpec
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    layer_types,
)
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._state import inner_size
from memfit.model.configs._text import text_without_card, tied
from memfit.model.shape import Layer

LONG_CONTEXT = 16384  # what use_long_context means, Zamba2Config
# layers_block_type of Zamba2Config where the config lists none
_MAMBA, _HYBRID = ("linear_attention",), ("hybrid",)
DEFAULT = (
    *_MAMBA,
    *((*_MAMBA * 5, *_HYBRID) * 7),
    *_MAMBA * 4,
    *_HYBRID,
    *_MAMBA * 3,
    *_HYBRID,
    *_MAMBA * 2,
)


def read(config: Section) -> Checkpoint:
    """A state in every layer; those called hybrid have a KV cache too, and a shared block before their mixer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("hidden_size", default=2560)
    heads = config.integer("num_attention_heads", default=32)
    kv_heads = config.maybe("num_key_value_heads") or heads
    if heads % kv_heads or (2 * width) % heads:
        raise config.malformed(
            "num_attention_heads", f"is {heads}, which fits neither hidden_size {width} nor {kv_heads} groups"
        )
    kinds = layer_types(config, "layers_block_type", "layer_types", known=("linear_attention", "hybrid")) or DEFAULT
    count = config.integer("num_hidden_layers", default=54, most=MOST_LAYERS)
    if count != len(kinds):
        raise config.malformed("num_hidden_layers", f"is {count}, and layers_block_type lists {len(kinds)}")
    inner = inner_size(config, "mamba_expand", width)
    mixer_heads = config.integer("n_mamba_heads", default=8)
    groups = config.integer("mamba_ngroups", default=1)
    if inner % mixer_heads or inner % groups:
        raise config.malformed("n_mamba_heads", f"is {mixer_heads}, which does not divide the mixer's width {inner}")
    sizes = _Sizes(
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        feed_forward=config.integer("intermediate_size", default=4 * width),
        inner=inner,
        mixer_heads=mixer_heads,
        mixed=inner + 2 * groups * config.integer("mamba_d_state", default=64),
        taps=config.integer("mamba_d_conv", default=4),
        bias=config.flag("add_bias_linear"),
    )
    adapters = _Adapters(
        blocks=config.integer("num_mem_blocks", default=1, most=MOST_LAYERS),
        rank=config.integer("adapter_rank", default=128),
        attention=config.flag("use_shared_attention_adapter"),
    )
    state = config.integer("mamba_d_state", default=64) * inner
    vocabulary = config.integer("vocab_size", default=32000)
    output = tied(config, default=True)
    long = config.flag("use_long_context")
    return text_without_card(
        config,
        Plan(layers=tuple(_layer(sizes, index, kind, state) for index, kind in enumerate(kinds)), memory="hybrid"),
        _tensors(sizes, adapters, kinds, vocabulary, tied=output),
        width=width,
        vocabulary=vocabulary,
        context_tokens=LONG_CONTEXT if long else config.integer("max_position_embeddings", default=4096),
        tied=output,
    )


@dataclass(frozen=True)
class _Sizes:
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    inner: int
    mixer_heads: int
    mixed: int
    taps: int
    bias: bool

    @property
    def head(self) -> int:
        """Attention looks at the hidden state beside the embedding, and so at twice the width."""
        return 2 * self.width // self.heads


@dataclass(frozen=True)
class _Adapters:
    blocks: int
    rank: int
    attention: bool


def _layer(sizes: _Sizes, index: int, kind: str, state: int) -> Layer:
    hybrid = kind == "hybrid"
    return Layer(
        attention="full" if hybrid else "none",
        heads=sizes.heads if hybrid else 0,
        kv_heads=sizes.kv_heads if hybrid else 0,
        key_length=sizes.head if hybrid else 0,
        value_length=sizes.head if hybrid else 0,
        cache_of=index if hybrid else None,
        convolution_elements=(sizes.taps - 1) * sizes.mixed,
        state_elements=state,
        feed_forward_length=sizes.feed_forward if hybrid else 0,
    )


def _tensors(
    sizes: _Sizes, adapters: _Adapters, kinds: tuple[str, ...], vocabulary: int, *, tied: bool
) -> Iterator[TensorSpec]:
    yield "token_embd.weight", (sizes.width, vocabulary)
    hybrids = [index for index, kind in enumerate(kinds) if kind == "hybrid"]
    # transformers shares the blocks by the same switch as the output matrix, and holds one for each place without it
    for block in range(min(adapters.blocks, len(hybrids)) if tied else len(hybrids)):
        yield from _shared_block(f"shared.{block}", sizes)
        for place in range(block % adapters.blocks, len(hybrids), adapters.blocks):
            yield from _adapters(f"shared.{block}.{place}", sizes, adapters)
    for index in hybrids:
        yield f"blk.{index}.linear.weight", (sizes.width, sizes.width)
    for index in range(len(kinds)):
        yield from _mixer(f"blk.{index}", sizes)
    yield "output_norm.weight", (sizes.width,)
    if not tied:
        yield "output.weight", (sizes.width, vocabulary)


def _shared_block(name: str, sizes: _Sizes) -> Iterator[TensorSpec]:
    query = sizes.heads * sizes.head
    yield f"{name}.attn_norm.weight", (2 * sizes.width,)
    yield f"{name}.attn_q.weight", (2 * sizes.width, query)
    yield f"{name}.attn_k.weight", (2 * sizes.width, sizes.kv_heads * sizes.head)
    yield f"{name}.attn_v.weight", (2 * sizes.width, sizes.kv_heads * sizes.head)
    yield f"{name}.attn_output.weight", (query, sizes.width)
    yield f"{name}.ffn_norm.weight", (sizes.width,)
    yield f"{name}.ffn_up.weight", (sizes.width, 2 * sizes.feed_forward)
    yield f"{name}.ffn_down.weight", (sizes.feed_forward, sizes.width)
    if sizes.bias:
        yield f"{name}.ffn_up.bias", (2 * sizes.feed_forward,)
        yield f"{name}.ffn_down.bias", (sizes.width,)


def _adapters(name: str, sizes: _Sizes, adapters: _Adapters) -> Iterator[TensorSpec]:
    """What a block adds at one of its places."""
    yield from _adapter(f"{name}.ffn_adapter", sizes.width, adapters.rank, 2 * sizes.feed_forward)
    for part in ("q", "k", "v") if adapters.attention else ():
        yield from _adapter(f"{name}.attn_{part}_adapter", 2 * sizes.width, adapters.rank, 2 * sizes.width)


def _adapter(name: str, inputs: int, rank: int, outputs: int) -> Iterator[TensorSpec]:
    yield f"{name}_a.weight", (inputs, rank)
    yield f"{name}_b.weight", (rank, outputs)


def _mixer(name: str, sizes: _Sizes) -> Iterator[TensorSpec]:
    projected = sizes.inner + sizes.mixed + sizes.mixer_heads
    yield f"{name}.attn_norm.weight", (sizes.width,)
    yield f"{name}.ssm_in.weight", (sizes.width, projected)
    yield f"{name}.ssm_conv1d.weight", (sizes.taps, sizes.mixed)
    yield f"{name}.ssm_conv1d.bias", (sizes.mixed,)
    for vector in ("ssm_dt.bias", "ssm_a", "ssm_d"):
        yield f"{name}.{vector}", (sizes.mixer_heads,)
    yield f"{name}.ssm_norm.weight", (sizes.inner,)
    yield f"{name}.ssm_out.weight", (sizes.inner, sizes.width)
    if sizes.bias:
        yield f"{name}.ssm_in.bias", (projected,)
        yield f"{name}.ssm_out.bias", (sizes.width,)


CONFIG = Config(
    model_type="zamba2",
    summary="Zamba2 1.2B, 2.7B, 7B",
    source=transformers("zamba2"),
    read=read,
)
