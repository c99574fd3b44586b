"""Ultravox: Whisper, eight frames to a token, a gated projection."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector
from memfit.engine._llama_cpp.encoders._whisper import Whisper


def graph(encoder: Encoder) -> Whisper:
    """Norms before and between the two matrices."""
    built = Whisper(encoder)
    node = built.normed(built.stacked(built.listened()), root=True)
    node = built.product(node, encoder.outputs("mm.a.mlp.1.weight"))
    node = built.computed((node.dims[0] // 2, *node.dims[1:]), node)
    node = built.normed(node, root=True)
    built.expand(built.product(node, encoder.outputs("mm.a.mlp.2.weight")))
    return built


PROJECTOR = Projector(
    name="ultravox",
    summary="Ultravox 0.5",
    source="llama.cpp tools/mtmd/models/whisper-enc.cpp @ 0c1e57098",
    graph=graph,
)
