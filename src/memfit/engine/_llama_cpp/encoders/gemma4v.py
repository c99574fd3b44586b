"""Gemma 4: positions over rows and columns, norms on each head, clamped matrices, averaged squares of patches."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import Dims, Node
from memfit.engine._llama_cpp.encoders._builder import Builder, Heads, Rope
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


class Clamped(Builder):
    """Every matrix clamps what goes in and what comes out."""

    def product(self, node: Node, outputs: int) -> Node:
        """A matrix of the file applied to each row."""
        return self.over(super().product(self.over(node), outputs))

    def heads(self, node: Node, index: int, rope: Rope | None = None) -> Heads:
        """Query and key heads are normed and turned, value heads only normed."""
        query, key, value = super().heads(node, index)
        dims: Dims = self.encoder.head, self.encoder.tower.heads, node.dims[1]
        turned = [
            self.normed(part) if self.encoder.has(f"v.blk.{index}.attn_q_norm.weight") else part
            for part in (query, key)
        ]
        assert rope is not None
        return rope(turned[0], dims), rope(turned[1], dims), self.over(value)

    def layer(self, node: Node, index: int, *, rope: Rope | None = None, mask: Node | None = None) -> Node:
        """Norms before and behind attention and feed-forward."""
        block = f"v.blk.{index}"
        heads = self.heads(self.normed(node), index, rope)
        node = self.over(self._behind(self.attended(heads, node.dims[1], mask), f"{block}.attn_post_norm"), node)
        gated = self.encoder.has(f"{block}.ffn_gate.weight")
        fed = self.fed(self.normed(node), self.encoder.inner(block), self.encoder.width, gated=gated)
        return self.over(node, self._behind(fed, f"{block}.ffn_post_norm"))

    def _behind(self, node: Node, name: str) -> Node:
        return self.normed(node) if self.encoder.has(f"{name}.weight") else node


def graph(encoder: Encoder) -> Clamped:
    """Positions are looked up in two tables, one across and one down."""
    built = Clamped(encoder, root=True)
    across, down = built.given(encoder.patches), built.given(encoder.patches)
    node = built.embedded(built.over(built.picture()))
    for positions in (across, down):
        rows = built.computed((encoder.width, encoder.patches), built.view(built.weight()), positions)
        node = built.over(node, rows)

    def rope(part: Node, _dims: Dims) -> Node:
        return built.over(built.over(part, across), down)

    node = built.transformed(built.view(node, encoder.width, encoder.patches), rope=rope)
    turned = built.copied(built.view(node), encoder.columns, encoder.rows, encoder.width)
    columns, rows_left = encoder.columns // encoder.merge, encoder.rows // encoder.merge
    pooled = built.computed((columns, rows_left, encoder.width), turned)
    tokens = built.over(built.computed((encoder.width, columns * rows_left), built.view(built.view(pooled))))
    built.expand(built.product(built.over(tokens), encoder.outputs("mm.input_projection.weight")))
    return built


PROJECTOR = Projector(
    name="gemma4v",
    summary="Gemma 4",
    source="llama.cpp tools/mtmd/models/gemma4v.cpp @ 0c1e57098",
    graph=graph,
    merge=3,
    warm_tokens=16 * 16,
    most_tokens=1120,
    batches=True,
)
