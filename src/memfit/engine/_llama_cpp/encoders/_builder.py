"""The pieces that encoders are made of, as tools/mtmd/clip.cpp puts them together (llama.cpp 0c1e57098).

With flash attention, which the CPU always has. Biases are left out: they are added in place.
"""

from __future__ import annotations

from collections.abc import Callable

from memfit.engine._llama_cpp.encoder_graph import F16, F32, Dims, Graph, Node
from memfit.engine._llama_cpp.encoders._encoder import Encoder

Heads = tuple[Node, Node, Node]
Rope = Callable[[Node, Dims], Node]


class Builder(Graph):
    """A graph under construction for one encoder.

    Args:
        encoder: what it is built for.
        root: norms are roots of mean squares, which may be written over their input.
    """

    prefix = "v"

    def __init__(self, encoder: Encoder, *, root: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.root = root

    def product(self, node: Node, outputs: int) -> Node:
        """A matrix of the file applied to each row."""
        return self.computed((outputs, *node.dims[1:]), self.weight(), node)

    def normed(self, node: Node, *, root: bool | None = None) -> Node:
        """A norm, times its weight."""
        roots = self.root if root is None else root
        return self.over(self.over(node) if roots else self.computed(node.dims, node), self.weight())

    def copied(self, node: Node, *dims: int) -> Node:
        """A contiguous copy of a view in another order."""
        return self.computed(dims, self.view(node))

    def picture(self) -> Node:
        """The image's numbers."""
        encoder = self.encoder
        side = encoder.tower.patch_size
        return self.given(encoder.columns * side, encoder.rows * side, 3)

    def convolved(self, picture: Node) -> Node:
        """``ggml_conv_2d`` of a patch a step: unfolded columns, a product, and a copy in order."""
        encoder = self.encoder
        numbers = 3 * encoder.tower.patch_size**2
        each = F32 if encoder.wide else F16
        columns = self.computed((numbers, encoder.columns, encoder.rows), self.weight(), picture, each=each)
        embedded = self.computed((encoder.patches, encoder.width), self.view(columns), self.view(self.weight()))
        return self.computed((encoder.columns, encoder.rows, encoder.width), self.view(self.view(embedded)))

    def embedded(self, picture: Node | None = None) -> Node:
        """``build_inp``: one row for each patch."""
        encoder = self.encoder
        convolved = self.convolved(picture or self.picture())
        return self.computed((encoder.width, encoder.patches), self.view(self.view(convolved)))

    def resized_positions(self) -> Node:
        """``resize_position_embeddings``: the table stretched to this image, itself where it fits."""
        encoder = self.encoder
        side = int(encoder.tensors["v.position_embd.weight"][1] ** 0.5)
        if encoder.columns == encoder.rows == side:
            return self.weight()
        table = self.view(self.view(self.weight()))
        stretched = self.computed((encoder.columns, encoder.rows, encoder.width), table)
        return self.copied(stretched, encoder.width, encoder.patches)

    def attended(self, heads: Heads, positions: int, mask: Node | None = None) -> Node:
        """``build_attn``: keys and values are copied to F16, and the mask once more for each layer."""
        encoder = self.encoder
        for node in heads:
            self.expand(node)
        query, key, value = (self.view(node) for node in heads)
        dims = encoder.head, positions, encoder.tower.heads
        copies = [self.computed(dims, node, each=F16) for node in (key, value)]
        masks = () if mask is None else (self.computed(mask.dims, mask, each=F16),)
        found = self.computed((encoder.head, encoder.tower.heads, positions), query, *copies, *masks)
        return self.product(self.view(found, encoder.width, positions), encoder.width)

    def heads(self, node: Node, index: int, rope: Rope | None = None) -> Heads:
        """Query, key and value of every position, cut into heads."""
        encoder = self.encoder
        dims = encoder.head, encoder.tower.heads, node.dims[1]
        if encoder.has(f"{self.prefix}.blk.{index}.attn_qkv.weight"):
            joined = self.product(node, 3 * encoder.width)
            query, key, value = (self.view(joined) for _ in range(3))
        else:
            query, key, value = (self.view(self.product(node, encoder.width), *dims) for _ in range(3))
        return (query, key, value) if rope is None else (rope(query, dims), rope(key, dims), value)

    def fed(self, node: Node, inner: int, outputs: int, *, gated: bool = False) -> Node:
        """``build_ffn``."""
        up = self.product(node, inner)
        if gated:
            gate = self.product(node, inner)
            return self.product(self.computed(gate.dims, gate, up), outputs)
        return self.product(self.over(up), outputs)

    def layer(self, node: Node, index: int, *, rope: Rope | None = None, mask: Node | None = None) -> Node:
        """Attention and feed-forward, each with a norm before and its input added behind."""
        encoder = self.encoder
        block = f"{self.prefix}.blk.{index}"
        heads = self.heads(self.normed(node), index, rope)
        node = self.over(self.attended(heads, node.dims[1], mask), node)
        gated = encoder.has(f"{block}.ffn_gate.weight")
        return self.over(node, self.fed(self.normed(node), encoder.inner(block), encoder.width, gated=gated))

    def transformed(self, node: Node, *, rope: Rope | None = None) -> Node:
        """``build_vit``: all layers, and the norms before and behind where the file has them."""
        encoder = self.encoder
        if encoder.has(f"{self.prefix}.pre_ln.weight"):
            node = self.normed(node)
        for index in range(encoder.tower.layers):
            node = self.layer(node, index, rope=rope)
        if encoder.has(f"{self.prefix}.post_ln.weight"):
            node = self.normed(node)
        return self.view(node, *node.dims)

    def merged(self, node: Node) -> Node:
        """``build_patch_merge_permute``: the patches of a square side by side in one row."""
        encoder = self.encoder
        merge = encoder.merge
        columns, rows = -(-encoder.columns // merge), -(-encoder.rows // merge)
        node = self.view(node)
        if (columns * merge, rows * merge) != (encoder.columns, encoder.rows):
            node = self.computed((encoder.width, columns * merge, rows * merge), node)
        wide = encoder.width * merge * merge
        node = self.computed((wide, rows, columns), self.view(self.view(node)))
        return self.copied(node, wide, columns * rows)


def siglip(encoder: Encoder, *, resized: bool = False) -> tuple[Builder, Node]:
    """SigLIP, up to its last norm."""
    graph = Builder(encoder)
    positions = graph.resized_positions() if resized else graph.weight()
    node = graph.over(graph.embedded(), positions)
    return graph, graph.transformed(graph.view(node, encoder.width, encoder.patches))
