"""Pixtral: a ViT with rotary positions over rows and columns, and a break token behind each row."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoder_graph import Dims, Node
from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector


def graph(encoder: Encoder) -> Builder:
    """Mistral Small 3.1 and later join squares of patches before the projection."""
    built = Builder(encoder, root=True)
    down, across = built.given(encoder.patches), built.given(encoder.patches)

    def rope(node: Node, dims: Dims) -> Node:
        return built.over(built.computed(dims, node, down), across)

    node = built.transformed(built.view(built.embedded(), encoder.width, encoder.patches), rope=rope)
    if encoder.has("mm.patch_merger.weight"):
        node = _unfolded(built, built.normed(node))
    inner, text = encoder.outputs("mm.1.weight"), encoder.outputs("mm.2.weight")
    node = built.fed(node, inner, text)
    if encoder.has("v.token_embd.img_break"):
        columns, rows = encoder.columns // encoder.merge, encoder.rows // encoder.merge
        token = built.over(built.over(built.given(text, 1, rows)), built.weight())
        node = built.view(built.computed((text, columns + 1, rows), built.view(node), token))
    built.expand(node)
    return built


def _unfolded(built: Builder, node: Node) -> Node:
    encoder = built.encoder
    columns, rows = encoder.columns // encoder.merge, encoder.rows // encoder.merge
    turned = built.computed((encoder.columns, encoder.rows, encoder.width), built.view(built.view(node)))
    wide = encoder.width * encoder.merge**2
    squares = built.computed((wide, columns, rows), built.view(turned), turned)
    return built.product(built.view(squares, wide, columns * rows), encoder.width)


PROJECTOR = Projector(
    name="pixtral",
    summary="Pixtral, Mistral Small 3.1 and later, Ministral 3",
    source="llama.cpp tools/mtmd/models/pixtral.cpp @ 0c1e57098",
    graph=graph,
    warm_tokens=16 * 16,
    most_tokens=1024,
)
