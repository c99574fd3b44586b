"""InternVL: its own ViT for each tile, squares of patches joined to one token."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._builder import Builder
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector

LARGE_WIDTH, LARGE_LAYERS = 3200, 45  # the 6B ViT, which norms by the root of mean squares


def graph(encoder: Encoder) -> Builder:
    """A class token goes along through the layers and is cut off."""
    large = (encoder.width, encoder.tower.layers) == (LARGE_WIDTH, LARGE_LAYERS)
    built = Builder(encoder, root=large)
    token = built.computed((encoder.width, 1), built.weight())
    node = built.computed((encoder.width, encoder.patches + 1), built.embedded(), token)
    node = built.view(built.over(node, built.weight()), encoder.width, encoder.patches + 1)
    node = built.copied(built.view(built.transformed(node)), encoder.width, encoder.patches)
    wide = encoder.width * encoder.merge**2
    columns, rows = encoder.columns // encoder.merge, encoder.rows // encoder.merge
    node = built.computed((wide, rows, columns), built.view(built.view(node)))
    node = built.copied(node, wide, columns * rows)
    node = built.normed(node, root=False)
    built.expand(built.fed(node, encoder.outputs("mm.model.mlp.1.weight"), encoder.outputs("mm.model.mlp.3.weight")))
    return built


PROJECTOR = Projector(
    name="internvl",
    summary="InternVL 2.5, 3 and 3.5",
    source="llama.cpp tools/mtmd/models/internvl.cpp @ 0c1e57098",
    graph=graph,
    batches=True,
)
