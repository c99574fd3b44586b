"""LFM2-VL: SigLIP 2 with positions stretched to each picture, squares of patches joined to one token."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._builder import Builder, siglip
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


def graph(encoder: Encoder) -> Builder:
    """Two matrices behind the joined patches, with a norm before in some models."""
    built, node = siglip(encoder, resized=True)
    node = built.merged(node)
    if encoder.has("mm.input_norm.weight"):
        node = built.normed(node)
    built.expand(built.fed(node, encoder.outputs("mm.1.weight"), encoder.outputs("mm.2.weight")))
    return built


PROJECTOR = Projector(
    name="lfm2",
    summary="LFM2-VL and LFM2.5-VL",
    source="llama.cpp tools/mtmd/models/siglip.cpp @ 0c1e57098",
    graph=graph,
    most_tokens=256,
)
