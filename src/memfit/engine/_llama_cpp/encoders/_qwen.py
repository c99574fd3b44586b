"""What the encoders of Qwen's vision models share: two convolutions and patches ordered by squares.

Follows tools/mtmd/models/qwen2vl.cpp and qwen3vl.cpp (llama.cpp 0c1e57098).
"""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import Dims, Node
from memfit.engine._llama_cpp.encoders._builder import Builder, Rope
from memfit.engine._llama_cpp.encoders._encoder import Encoder

WARM_TOKENS = 46 * 46  # set_warmup_n_tokens, tools/mtmd/clip.cpp
MOST_TOKENS = 4096  # set_limit_image_tokens, same file


def by_squares(built: Builder, node: Node) -> Node:
    """Rows of patches copied so that the four of a square follow each other."""
    encoder = built.encoder
    half = built.copied(node, encoder.width * 2, encoder.columns // 2, encoder.rows)
    return built.computed((encoder.width, encoder.patches), built.view(built.view(half)))


def both_frames(built: Builder) -> Node:
    """A still picture goes through the convolutions of both frames, whose results are added."""
    picture = built.picture()
    return built.over(built.convolved(picture), built.convolved(picture))


def rotary(built: Builder) -> Rope:
    """Rotary positions in four parts."""
    positions = built.given(4 * built.encoder.patches)

    def rope(node: Node, dims: Dims) -> Node:
        return built.computed(dims, node, positions, reuses=True)

    return rope


def projected(built: Builder, node: Node) -> Node:
    """Four patches to a token, and two matrices."""
    encoder: Encoder = built.encoder
    joined = built.view(node, 4 * encoder.width, encoder.patches // 4)
    return built.fed(joined, encoder.outputs("mm.0.weight"), encoder.outputs("mm.2.weight"))
