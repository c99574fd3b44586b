"""Qwen3-VL and Qwen3.5: positions stretched to the picture, and some layers that feed the language model directly."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import Node
from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector
from memfit.engine._llama_cpp.encoders._qwen import (
    MOST_TOKENS,
    WARM_TOKENS,
    both_frames,
    by_squares,
    projected,
    rotary,
)


def graph(encoder: Encoder) -> Builder:
    """What the chosen layers see is joined to the tokens, one width behind the other."""
    built = Builder(encoder)
    rope = rotary(built)
    positions = by_squares(built, built.resized_positions())
    node = built.over(by_squares(built, both_frames(built)), built.weight())
    node = built.over(node, positions)
    if encoder.has("v.pre_ln.weight"):
        node = built.normed(node)
    features: Node | None = None
    for index in range(encoder.tower.layers):
        node = built.layer(node, index, rope=rope)
        if encoder.has(f"v.deepstack.{index}.fc1.weight"):
            found = _feature(built, node, index)
            features = found if features is None else _joined(built, features, found)
    if encoder.has("v.post_ln.weight"):
        node = built.normed(node)
    node = projected(built, node)
    built.expand(node if features is None else _joined(built, node, features))
    return built


def _feature(built: Builder, node: Node, index: int) -> Node:
    encoder = built.encoder
    joined = built.view(node, encoder.width * encoder.merge**2, encoder.patches // encoder.merge**2)
    name = f"v.deepstack.{index}"
    inner, text = encoder.outputs(f"{name}.fc1.weight"), encoder.outputs(f"{name}.fc2.weight")
    return built.fed(built.normed(joined), inner, text)


def _joined(built: Builder, left: Node, right: Node) -> Node:
    return built.computed((left.dims[0] + right.dims[0], *left.dims[1:]), left, right)


PROJECTOR = Projector(
    name="qwen3vl_merger",
    summary="Qwen3-VL, Qwen3.5 and Qwen3.6",
    source="llama.cpp tools/mtmd/models/qwen3vl.cpp @ 0c1e57098",
    graph=graph,
    merge=2,
    warm_tokens=WARM_TOKENS,
    most_tokens=MOST_TOKENS,
)
