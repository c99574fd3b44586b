"""Gemma 3: SigLIP, averaged over squares of patches."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import F16
from memfit.engine._llama_cpp.encoders._builder import Builder, siglip
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


def graph(encoder: Encoder) -> Builder:
    """The projection multiplies by a turned copy of its matrix."""
    built, node = siglip(encoder)
    turned = built.copied(built.view(node), encoder.columns, encoder.rows, encoder.width)
    columns, rows = encoder.columns // encoder.merge, encoder.rows // encoder.merge
    pooled = built.computed((columns, rows, encoder.width), turned)
    tokens = built.computed((encoder.width, columns * rows), built.view(built.view(pooled)))
    text, width = encoder.tensors["mm.input_projection.weight"]
    matrix = built.computed((width, text), built.view(built.weight()), each=F16)
    built.expand(built.computed((text, columns * rows), matrix, built.normed(tokens, root=True)))
    return built


PROJECTOR = Projector(
    name="gemma3",
    summary="Gemma 3 and MedGemma",
    source="llama.cpp tools/mtmd/models/siglip.cpp @ 0c1e57098",
    graph=graph,
    merge=4,
)
