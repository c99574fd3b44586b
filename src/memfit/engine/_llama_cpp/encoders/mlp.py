"""LLaVA: CLIP without its last layer, and two matrices."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import Node
from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


def graph(encoder: Encoder) -> Builder:
    """The class token goes along through the layers and is left behind."""
    built = Builder(encoder)
    node = built.embedded()
    positions = encoder.patches
    if encoder.has("v.class_embd"):
        positions += 1
        node = built.computed((encoder.width, positions), node, built.weight())
    rows = built.computed((encoder.width, positions), built.weight(), built.given(positions))
    node = built.over(node, rows)
    if encoder.has("v.pre_ln.weight"):
        node = built.normed(node)
    for index in range(encoder.tower.layers - 1):
        node = built.layer(node, index)
    if encoder.has("v.post_ln.weight"):
        node = built.normed(node)
    chosen = built.computed((encoder.width, encoder.patches), built.view(node), built.given(encoder.patches))
    built.expand(_projected(built, chosen))
    return built


def _projected(built: Builder, node: Node) -> Node:
    encoder = built.encoder
    node = built.over(built.product(node, encoder.outputs("mm.0.weight")))
    return built.product(node, encoder.outputs("mm.2.weight")) if encoder.has("mm.2.weight") else node


PROJECTOR = Projector(
    name="mlp",
    summary="LLaVA 1.5 and 1.6, BakLLaVA, ShareGPT4V",
    source="llama.cpp tools/mtmd/models/llava.cpp @ 0c1e57098",
    graph=graph,
)
