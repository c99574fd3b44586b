"""What surrounds the blocks of an attention model: the plan, tables for the rotary embedding, and llama's whole graph.

Follows ``llama_model::create_memory`` (llama.cpp src/llama-model.cpp) and src/models/llama.cpp, both at 0c1e57098.
"""

from __future__ import annotations

from collections.abc import Iterable

from memfit.model.architectures._architecture import Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer


def attention_plan(meta: Metadata, layers: Iterable[Layer], *, window_tokens: int = 0, even_heads: bool = True) -> Plan:
    """A plan whose only memory is a KV cache.

    Args:
        meta: the header.
        layers: all layers.
        window_tokens: the sliding window or chunk, 0 without.
        even_heads: keys and values must be of one length: the graph asserts it, or takes one for both.

    Raises:
        Malformed: a feed-forward without a width, uneven heads, or a key for causal attention without truth value.
    """
    planned = tuple(layers)
    for layer in planned:
        if even_heads and layer.key_length != layer.value_length:
            raise meta.malformed("attention.key_length", f"is {layer.key_length}, values have {layer.value_length}")
        if layer.experts and not layer.expert_length:
            raise meta.malformed("expert_feed_forward_length", "gives the experts no width")
        if not layer.experts and not layer.feed_forward_length:
            raise meta.malformed("feed_forward_length", "is missing or 0")
    return Plan(layers=planned, window_tokens=window_tokens, causal=meta.flag("attention.causal", True))


def rope_tables(meta: Metadata, key_length: int) -> Tensors:
    """Tables that stretch the rotary embedding, where this model carries them; one number for each rotated pair.

    Raises:
        Malformed: the count of rotated dimensions is not a whole number.
    """
    for name in ("rope_freqs", "rope_factors_long", "rope_factors_short"):
        if meta.carries(name):
            yield f"{name}.weight", (meta.integer("rope.dimension_count", key_length) // 2,)


def llama_plan(meta: Metadata, *, shared: int = 0) -> Plan:
    """Full attention in every layer, with a dense feed-forward or with experts as wide as it (Mixtral).

    Args:
        meta: the header.
        shared: width of the expert that every token uses, in the architectures that read it.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(
        meta,
        (
            block.expert_layer(block.feed_forward, shared=shared) if block.experts else block.layer()
            for block in blocks(meta)
        ),
    )


def llama_tensors(meta: Metadata, *, shared: int = 0) -> Tensors:
    """The tensors of llama's graph, which granite, minicpm and mistral3 share word for word.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = trunk(meta)
    yield from ends(meta)
    yield from rope_tables(meta, layers[0].key_length)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from block.attention(bias=meta.carries("attn_q.bias"), output_bias=meta.carries("attn_output.bias"))
        yield from block.norm("ffn_norm")
        if not block.experts:
            yield from block.gated_feed_forward(bias=meta.carries("ffn_up.bias"))
            continue
        yield from block.expert_feed_forward(block.feed_forward)
        if shared:
            yield from block.shared_expert(shared)
