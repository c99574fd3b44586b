"""Whisper's encoder of sound, thirty seconds at a time.

Follows tools/mtmd/models/whisper-enc.cpp (llama.cpp 0c1e57098).
"""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import F16, Node
from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder

TAPS = 3


class Whisper(Builder):
    """Two convolutions, of which the second halves the frames, and the layers.

    Args:
        encoder: what it is built for.
        pooled: pairs of rows are averaged before the last norm.
    """

    prefix = "a"

    def __init__(self, encoder: Encoder, *, pooled: bool = False) -> None:
        super().__init__(encoder)
        self.pooled = pooled

    def listened(self) -> Node:
        """One row for two frames, behind all layers."""
        encoder = self.encoder
        frames, width, bins = encoder.columns, encoder.width, encoder.tower.mel_bins
        node = self.over(self._convolved(self.given(frames, bins), bins, frames), self.weight())
        node = self.over(node)
        node = self.over(self.over(self._convolved(node, width, frames // 2), self.weight()))
        node = self.copied(node, width, frames // 2)
        # the table of positions holds more rows than this: what is added is a view of it
        node = self.over(node, self.view(self.weight(), width, frames // 2))
        node = self.view(node, width, frames // 2)
        for index in range(encoder.tower.layers):
            node = self.layer(node, index)
        if self.pooled:
            halves = self.computed((frames // 4, width), self.copied(node, frames // 2, width))
            node = self.copied(halves, width, frames // 4)
        if encoder.has("a.post_ln.weight"):
            node = self.normed(node)
        return self.view(node, *node.dims)

    def _convolved(self, node: Node, channels: int, steps: int) -> Node:
        columns = self.computed((TAPS * channels, steps), self.weight(), node, each=F16)
        width = self.encoder.width
        return self.view(self.computed((steps, width), self.view(columns), self.view(self.weight())), steps, width)

    def stacked(self, node: Node) -> Node:
        """``build_stack``: frames side by side in one row, the last row filled up."""
        width, factor = self.encoder.width, self.encoder.merge
        if factor <= 1:
            return node
        numbers = width * node.dims[1]
        wide = width * factor
        rows = -(-numbers // wide)
        if rows * wide != numbers:
            node = self.computed((rows * wide,), self.view(node))
        return self.view(node, wide, rows)


def two_matrices(encoder: Encoder) -> Whisper:
    """Averaged pairs, frames side by side, and two matrices."""
    built = Whisper(encoder, pooled=True)
    node = built.stacked(built.listened())
    built.expand(built.fed(node, encoder.outputs("mm.a.mlp.1.weight"), encoder.outputs("mm.a.mlp.2.weight")))
    return built
