"""Building blocks of attention models: the sizes of each layer as the engine reads them, and the tensors they imply.

Sizes follow ``llama_model_base::load_hparams`` (llama.cpp src/llama-model.cpp), window patterns ``set_swa_pattern``
(src/llama-hparams.cpp), tensors the ``load_arch_tensors`` of the files in src/models, all at 0c1e57098.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from memfit.model.architectures._architecture import TensorSpec
from memfit.model.metadata import MOST_EXPERTS, Metadata
from memfit.model.shape import Attention, Layer

Tensors = Iterator[TensorSpec]


@dataclass(frozen=True)
class Block:
    """One layer: its sizes, the record memory is computed from, and its tensors.

    Attributes:
        width: numbers in a hidden state (``n_embd``).
        heads, kv_heads: query heads, key/value heads.
        key_length, value_length: numbers a head.
        feed_forward: width of the dense feed-forward.
        experts, experts_active: how many there are and how many a token uses; 0 without.
        expert_length: width of one expert, 0 where the header does not say.
        windowed: looks at a window or chunk only.
        next_token: a next-token-prediction layer, behind the trunk.
    """

    index: int
    width: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    feed_forward: int
    experts: int
    experts_active: int
    expert_length: int
    windowed: bool
    next_token: bool

    def layer(self, *, window: Attention = "sliding") -> Layer:
        """The layer with its dense feed-forward, owning a KV cache unless it predicts the next token."""
        return Layer(
            attention=window if self.windowed else "full",
            heads=self.heads,
            kv_heads=self.kv_heads,
            key_length=self.key_length,
            value_length=self.value_length,
            cache_of=None if self.next_token else self.index,
            feed_forward_length=self.feed_forward,
            next_token=self.next_token,
        )

    def expert_layer(self, length: int, *, shared: int = 0, window: Attention = "sliding") -> Layer:
        """The layer with experts of ``length`` and, where ``shared``, one more of that width for every token."""
        return msgspec.structs.replace(
            self.layer(window=window),
            feed_forward_length=0,
            experts=self.experts,
            experts_active=self.experts_active,
            expert_length=length,
            shared_length=shared,
        )

    def split_expert_length(self) -> int:
        """Width of one expert; older files give only the width of those that a token uses together."""
        return self.expert_length or self.feed_forward // max(1, self.experts_active)

    def weight(self, name: str, *dims: int, bias: bool = False) -> Tensors:
        """A matrix or vector of this layer; its bias has one number for each output."""
        yield f"blk.{self.index}.{name}.weight", dims
        if bias:
            yield f"blk.{self.index}.{name}.bias", dims[1:] or dims

    def norm(self, name: str, width: int = 0, *, bias: bool = False) -> Tensors:
        """A norm over the hidden state, or over ``width`` numbers."""
        return self.weight(name, width or self.width, bias=bias)

    def attention(self, *, bias: bool = False, output_bias: bool = False) -> Tensors:
        """Query, key, value and output matrices."""
        yield from self.weight("attn_q", self.width, self.heads * self.key_length, bias=bias)
        yield from self.weight("attn_k", self.width, self.kv_heads * self.key_length, bias=bias)
        yield from self.weight("attn_v", self.width, self.kv_heads * self.value_length, bias=bias)
        yield from self.weight("attn_output", self.heads * self.key_length, self.width, bias=output_bias)

    def fused_attention(self, *, bias: bool = False, output_bias: bool = False) -> Tensors:
        """Query, key and value in one matrix, and the output matrix."""
        outputs = self.heads * self.key_length + self.kv_heads * (self.key_length + self.value_length)
        yield from self.weight("attn_qkv", self.width, outputs, bias=bias)
        yield from self.weight("attn_output", self.heads * self.key_length, self.width, bias=output_bias)

    def head_norms(self) -> Tensors:
        """Norms of queries and keys, the same for every head."""
        yield from self.norm("attn_q_norm", self.key_length)
        yield from self.norm("attn_k_norm", self.key_length)

    def gated_feed_forward(self, *, bias: bool = False) -> Tensors:
        """Gate, up and down matrices."""
        yield from self.weight("ffn_gate", self.width, self.feed_forward, bias=bias)
        yield from self.plain_feed_forward(bias=bias)

    def plain_feed_forward(self, *, bias: bool = False) -> Tensors:
        """Up and down matrices."""
        yield from self.weight("ffn_up", self.width, self.feed_forward, bias=bias)
        yield from self.weight("ffn_down", self.feed_forward, self.width, bias=bias)

    def expert_feed_forward(self, length: int, *, bias: bool = False) -> Tensors:
        """The router, and gate, up and down matrices of all experts stacked."""
        yield from self.weight("ffn_gate_inp", self.width, self.experts, bias=bias)
        yield from self.weight("ffn_gate_exps", self.width, length, self.experts, bias=bias)
        yield from self.weight("ffn_up_exps", self.width, length, self.experts, bias=bias)
        yield from self.weight("ffn_down_exps", length, self.width, self.experts, bias=bias)

    def shared_expert(self, length: int) -> Tensors:
        """The expert that every token uses."""
        yield from self.weight("ffn_gate_shexp", self.width, length)
        yield from self.weight("ffn_up_shexp", self.width, length)
        yield from self.weight("ffn_down_shexp", length, self.width)


def blocks(meta: Metadata, windowed: Sequence[bool] | None = None) -> tuple[Block, ...]:
    """Every layer's sizes, next-token-prediction layers last.

    Args:
        meta: the header.
        windowed: which layers look at a window, for architectures that have one; those may have other head lengths.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    count = meta.layer_count()
    trunk_count = count - meta.integer("nextn_predict_layers", 0, most=count - 1)
    width = meta.integer("embedding_length", least=1)
    heads, kv_heads = _heads(meta, count)
    full = _head_lengths(meta, "", (width // heads[0], width // heads[0]))
    window = _head_lengths(meta, "_swa", full)
    experts, active = _experts(meta, count)
    feed_forward = meta.per_layer("feed_forward_length", count, 0)
    expert_lengths = meta.per_layer("expert_feed_forward_length", count, 0)
    windowed = windowed or (False,) * count
    return tuple(
        Block(
            index=index,
            width=width,
            heads=heads[index],
            kv_heads=kv_heads[index],
            key_length=(window if windowed[index] else full)[0],
            value_length=(window if windowed[index] else full)[1],
            feed_forward=feed_forward[index],
            experts=experts,
            experts_active=active[index],
            expert_length=expert_lengths[index],
            windowed=windowed[index],
            next_token=index >= trunk_count,
        )
        for index in range(count)
    )


def trunk(meta: Metadata, windowed: Sequence[bool] | None = None) -> tuple[Block, ...]:
    """The blocks that run for every token; most architectures load no others.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return tuple(block for block in blocks(meta, windowed) if not block.next_token)


def expert_blocks(meta: Metadata, windowed: Sequence[bool] | None = None, *, stated: bool = False) -> tuple[Block, ...]:
    """``blocks`` of an architecture that the engine refuses to load without experts.

    Args:
        meta: the header.
        windowed: which layers look at a window.
        stated: the header must give the experts' width, as there is none to fall back on.

    Raises:
        Malformed: there are no experts, or a size is missing, out of bounds, or contradicts another.
    """
    layers = blocks(meta, windowed)
    if not layers[0].experts:
        raise meta.malformed("expert_count", "is missing or 0 in an architecture made of experts")
    if stated and not all(block.expert_length for block in layers):
        raise meta.malformed("expert_feed_forward_length", "is missing or 0")
    return layers


def expert_trunk(meta: Metadata, windowed: Sequence[bool] | None = None, *, stated: bool = False) -> tuple[Block, ...]:
    """``trunk`` of an architecture that the engine refuses to load without experts; as ``expert_blocks``.

    Raises:
        Malformed: there are no experts, or a size is missing, out of bounds, or contradicts another.
    """
    return tuple(block for block in expert_blocks(meta, windowed, stated=stated) if not block.next_token)


def _heads(meta: Metadata, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    heads = meta.per_layer("attention.head_count", count)
    kv_heads = meta.per_layer("attention.head_count_kv", count, heads)
    for query, key in zip(heads, kv_heads, strict=True):
        if query == 0 or key == 0 or query % key:
            raise meta.malformed(
                "attention.head_count_kv", f"is {key} for {query} query heads: each group needs as many"
            )
    return heads, kv_heads


def _head_lengths(meta: Metadata, suffix: str, default: tuple[int, int]) -> tuple[int, int]:
    return (
        meta.integer(f"attention.key_length{suffix}", default[0], least=1),
        meta.integer(f"attention.value_length{suffix}", default[1], least=1),
    )


def _experts(meta: Metadata, count: int) -> tuple[int, tuple[int, ...]]:
    experts = meta.integer("expert_count", 0, most=MOST_EXPERTS)
    active = meta.per_layer("expert_used_count", count, 0)
    if max(active) > experts:
        raise meta.malformed("expert_used_count", f"is {max(active)} of {experts} experts")
    if experts and not max(active):
        raise meta.malformed("expert_used_count", f"is 0, but there are {experts} experts")
    return experts, active


def window_pattern(meta: Metadata, period: int) -> tuple[bool, ...]:
    """Which layers look at a window: the header's array, or all but every ``period``-th (the header may give it).

    The engine asserts that an architecture with a window has at least one such layer.

    Raises:
        Malformed: no layer would have the window, or the array is of another length than the layers.
    """
    count = meta.layer_count()
    key = "attention.sliding_window_pattern"
    stated = meta.flags(key, count) if meta.is_array(key) else None
    if stated is None:
        trunk_count = count - meta.integer("nextn_predict_layers", 0, most=count - 1)
        period = meta.integer(key, period)
        stated = tuple(index < trunk_count and (period == 0 or (index + 1) % period != 0) for index in range(count))
    if not any(stated):
        raise meta.malformed(key, "leaves no layer with the sliding window that this architecture has")
    return stated


def ends(meta: Metadata, *, output: bool = True, norm_bias: bool = False, output_bias: bool = False) -> Tensors:
    """Token embedding, last norm and output matrix; ``output`` is False where the engine only ever ties it.

    Raises:
        Malformed: the width or the vocabulary is missing.
    """
    width, vocabulary = meta.integer("embedding_length", least=1), meta.vocabulary_tokens()
    yield "token_embd.weight", (width, vocabulary)
    yield "output_norm.weight", (width,)
    if norm_bias:
        yield "output_norm.bias", (width,)
    if output:
        yield "output.weight", (width, vocabulary)
    if output_bias:
        yield "output.bias", (vocabulary,)
