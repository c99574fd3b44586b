"""Idefics 3 and SmolVLM: SigLIP for each tile, squares of patches joined to one token."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._builder import Builder, siglip
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


def graph(encoder: Encoder) -> Builder:
    """One matrix behind the joined patches."""
    built, node = siglip(encoder)
    built.expand(built.product(built.merged(node), encoder.outputs("mm.model.fc.weight")))
    return built


PROJECTOR = Projector(
    name="idefics3",
    summary="SmolVLM, SmolVLM2, Granite-Docling",
    source="llama.cpp tools/mtmd/models/siglip.cpp @ 0c1e57098",
    graph=graph,
)
