"""Qwen2.5-VL: attention in windows, whose mask holds every patch by every patch."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import F16
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
    """Every ``window_period``-th layer attends to all patches, the others within windows."""
    built = Builder(encoder, root=True)
    rope, period = rotary(built), encoder.tower.window_period
    node, mask = by_squares(built, both_frames(built)), None
    if period:
        order = built.given(encoder.patches // 4)
        mask = built.computed((encoder.patches,) * 2, built.given(encoder.patches, encoder.patches), each=F16)
        squares = built.computed((4 * encoder.width, encoder.patches // 4), built.view(node), order)
        node = built.view(squares, encoder.width, encoder.patches)
    for index in range(encoder.tower.layers):
        windowed = period and (index + 1) % period
        node = built.layer(node, index, rope=rope, mask=mask if windowed else None)
    if encoder.has("v.post_ln.weight"):
        node = built.normed(node)
    node = projected(built, node)
    if period:
        node = built.view(built.computed(node.dims, built.view(node), built.given(encoder.patches // 4)))
    built.expand(node)
    return built


PROJECTOR = Projector(
    name="qwen2.5vl_merger",
    summary="Qwen2.5-VL, and the eyes of Qwen2.5-Omni",
    source="llama.cpp tools/mtmd/models/qwen2vl.cpp @ 0c1e57098",
    graph=graph,
    merge=2,
    warm_tokens=WARM_TOKENS,
    most_tokens=MOST_TOKENS,
)
