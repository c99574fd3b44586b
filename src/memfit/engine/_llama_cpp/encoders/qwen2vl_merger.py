"""Qwen2-VL: full attention over all patches of a picture of any size."""

from __future__ import annotations

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
    """Layers between the two convolutions and the merger."""
    built = Builder(encoder)
    node = built.transformed(by_squares(built, both_frames(built)), rope=rotary(built))
    built.expand(projected(built, node))
    return built


PROJECTOR = Projector(
    name="qwen2vl_merger",
    summary="Qwen2-VL",
    source="llama.cpp tools/mtmd/models/qwen2vl.cpp @ 0c1e57098",
    graph=graph,
    merge=2,
    warm_tokens=WARM_TOKENS,
    most_tokens=MOST_TOKENS,
)
