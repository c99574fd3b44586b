"""What of a shape every request needs, added up once: a search asks for thousands of footprints of the same shape."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from memfit.model.shape import Layer, ModelShape


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over a shape.

    Attributes:
        weights_bytes: of all tensors.
        embedding_bytes: of the table of tokens.
        full_elements: numbers that one token adds to the caches of layers that keep the whole context.
        window_elements: the same of layers that keep a window.
        state_elements: numbers of recurrent and convolution state of one request.
        widest_elements: numbers that one token takes in the widest layer, the residual included.
        heads, kv_heads, key_length: the most of any layer.
        layers: that run for every token.
    """

    weights_bytes: int
    embedding_bytes: int
    full_elements: int
    window_elements: int
    state_elements: int
    widest_elements: int
    heads: int
    kv_heads: int
    key_length: int
    layers: int


# by identity: a shape is frozen, and comparing two costs more than adding one up. The shape is held with its facts, so
# that no other can take its place in memory
_HELD: OrderedDict[int, tuple[ModelShape, Facts]] = OrderedDict()
_MOST_HELD = 256


def facts_of(shape: ModelShape) -> Facts:
    """The sums of ``shape``, kept for the next time."""
    known = _HELD.get(id(shape))
    if known is not None and known[0] is shape:
        return known[1]
    found = _added_up(shape)
    _HELD[id(shape)] = (shape, found)
    if len(_HELD) > _MOST_HELD:
        _HELD.popitem(last=False)
    return found


def _added_up(shape: ModelShape) -> Facts:
    trunk = shape.trunk
    caches = [(layer, _cached(index, layer)) for index, layer in enumerate(shape.layers)]
    windows = [(layer, size) for layer, size in caches if shape.window_tokens and _windowed(layer)]
    windowed = sum(size for _, size in windows)
    width = shape.embedding_length
    return Facts(
        weights_bytes=shape.weights_bytes,
        embedding_bytes=next((one.bytes for one in shape.tensors if one.name == "token_embd.weight"), 0),
        full_elements=sum(size for _, size in caches) - windowed,
        window_elements=windowed,
        state_elements=sum(layer.convolution_elements + layer.state_elements for layer in trunk),
        widest_elements=max((_widest(layer, width) for layer in trunk), default=2 * width),
        heads=max((layer.heads for layer in trunk), default=0),
        kv_heads=max((layer.kv_heads for layer in trunk), default=0),
        key_length=max((layer.key_length for layer in trunk), default=0),
        layers=len(trunk),
    )


def _windowed(layer: Layer) -> bool:
    return layer.attention in ("sliding", "chunked")


def _cached(index: int, layer: Layer) -> int:
    if layer.cache_of != index or layer.next_token or layer.attention == "none":
        return 0
    return layer.key_elements + layer.value_elements


def _widest(layer: Layer, width: int) -> int:
    """Numbers of one token at the layer's widest moment (see ``activations``)."""
    queries = layer.heads * layer.key_length
    attention = queries + 2 * layer.kv_heads * layer.key_length + layer.heads * layer.value_length
    dense = 3 * layer.feed_forward_length
    experts = layer.experts_active * (3 * layer.expert_length + width) + 3 * layer.shared_length
    # a recurrent mixer expands the width about twice, into two branches of it
    recurrent = 8 * width if layer.state_elements or layer.convolution_elements else 0
    return 2 * width + max(attention, dense, experts, recurrent)
