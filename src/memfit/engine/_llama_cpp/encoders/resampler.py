"""MiniCPM-V: SigLIP for each tile, and a fixed number of queries that look at its patches."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import F16, Node
from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector

HEAD = 128  # d_head of the resampler, tools/mtmd/models/minicpmv.cpp


def graph(encoder: Encoder) -> Builder:
    """Positions of the queries' keys are computed as waves over rows and columns."""
    built = Builder(encoder)
    text = encoder.tensors["resampler.query"][0]
    waves = built.given(text // 4)
    down, across = built.given(1, encoder.patches), built.given(1, encoder.patches)
    positions = built.computed((encoder.width, encoder.patches), built.weight(), built.given(encoder.patches))
    node = built.over(built.embedded(), positions)
    node = built.transformed(built.view(node, encoder.width, encoder.patches))
    value = built.normed(built.product(node, text))
    repeated = built.computed((text // 4, encoder.patches), waves)
    place = built.computed((text, encoder.patches), *(_waved(built, repeated, axis) for axis in (across, down)))
    built.expand(_asked(built, built.over(value, place), value))
    return built


def _waved(built: Builder, repeated: Node, axis: Node) -> Node:
    """Sine and cosine of a position at every frequency."""
    angle = built.over(repeated, axis)
    sine, cosine = (built.computed(angle.dims, angle) for _ in range(2))
    return built.computed((2 * angle.dims[0], angle.dims[1]), sine, cosine)


def _asked(built: Builder, key: Node, value: Node) -> Node:
    """Attention of the queries over all patches, a norm and a projection."""
    encoder = built.encoder
    text, queries = encoder.tensors["resampler.query"][:2]
    heads = text // HEAD
    query = built.over(built.computed((text, queries), built.weight()), built.weight())
    parts = [built.view(built.product(part, text), HEAD, heads, part.dims[1]) for part in (query, key, value)]
    for part in parts:
        built.expand(part)
    copies = [built.computed((HEAD, encoder.patches, heads), built.view(part), each=F16) for part in parts[1:]]
    found = built.computed((HEAD, heads, queries), built.view(parts[0]), *copies)
    node = built.product(built.view(found, text, queries), text)
    return built.product(built.normed(node), encoder.outputs("resampler.proj.weight"))


PROJECTOR = Projector(
    name="resampler",
    summary="MiniCPM-V 2.5, 2.6, 4 and 4.5, MiniCPM-o",
    source="llama.cpp tools/mtmd/models/minicpmv.cpp @ 0c1e57098",
    graph=graph,
)
