"""A graph reduced to what its memory depends on: when each buffer is taken and given back, and what works on it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from graph_trace.engine import FLAG_INPUT, FLAG_OUTPUT, Node

# ggml_op_can_inplace, ggml/src/ggml-alloc.c (0c1e57098)
IN_PLACE = frozenset(
    [
        "FILL",
        "SCALE",
        "DIAG_MASK_ZERO",
        "DIAG_MASK_INF",
        "ADD",
        "ADD_ID",
        "ADD1",
        "SUB",
        "MUL",
        "DIV",
        "SQR",
        "SQRT",
        "LOG",
        "UNARY",
        "ROPE",
        "ROPE_BACK",
        "SILU_BACK",
        "RMS_NORM",
        "RMS_NORM_BACK",
        "CLAMP",
        "SOFT_MAX",
        "SOFT_MAX_BACK",
    ]
)
PROLOGUE = -1
VIEWS = ("VIEW", "RESHAPE", "PERMUTE", "TRANSPOSE")
_OWNED = re.compile(r"blk\.|cache_[rs]_")  # other layers may read a KV cache
_LAYER = re.compile(r"-(\d+)(?:\D|$)|^cache_[rs]_l(\d+)(?:\D|$)|^blk\.(\d+)\.")


@dataclass
class Slot:
    """One buffer: taken for a tensor, perhaps passed on in place, given back after its last use.

    ``touched`` holds, for each segment, the number of steps of that segment after which it was last used.
    """

    label: str
    bytes: int
    segment: int
    input: bool
    state: bool = False
    freed_in: int | None = None
    touched: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """An operation that needs scratch memory: its ggml name, the weight or type it reads, and its sizes."""

    op: str
    source: str
    sizes: tuple[int, ...]


@dataclass
class Lifetimes:
    """Slots and steps of a graph. A step is (segment, slot number, taken); segments are layers, -1 before the first."""

    slots: list[Slot]
    steps: list[tuple[int, int, bool]]
    decisions: list[tuple[int, str, str]]
    work: dict[int, list[Work]]
    layers: int


class _Walk:
    def __init__(self, nodes: list[Node], leafs: list[Node], layers: int) -> None:
        self.nodes, self.leafs, self.layers = nodes, leafs, layers
        self.slots: list[Slot] = []
        self.steps: list[tuple[int, int, bool]] = []
        self.decisions: list[tuple[int, str, str]] = []
        self.work: dict[int, list[Work]] = defaultdict(list)
        self.owner: dict[int, int] = {}
        self.children: dict[int, int] = defaultdict(int)
        self.views: dict[int, int] = defaultdict(int)
        self.counts: dict[int, int] = defaultdict(int)
        self.segment = PROLOGUE

    def run(self) -> Lifetimes:
        """The order of ggml_gallocr_alloc_graph_impl, ggml/src/ggml-alloc.c (0c1e57098)."""
        for leaf in self.leafs:
            self._take(leaf)
        for node in self.nodes:
            if node.view_of and node.op != "NONE":
                self.views[node.view_of.key] += 1
            for source in node.sources:
                self.children[source.key] += 1
                if source.flags & FLAG_INPUT:
                    self._take(source)
        for node, segment in zip(self.nodes, segments(self.nodes, self.layers), strict=True):
            self.segment = segment
            self._visit(node)
        return Lifetimes(self.slots, self.steps, self.decisions, dict(self.work), self.layers)

    def _visit(self, node: Node) -> None:
        for source in node.sources:
            self._take(source)
        self._take(node)
        used = [self._slot_of(source) for source in node.sources]
        for source in node.sources:
            self._count_down(source)
        for slot in used:
            if slot is not None:
                self.slots[slot].touched[self.segment] = self.counts[self.segment]
        item = work_of(node)
        if item is not None:
            self.work[self.segment].append(item)

    def _slot_of(self, node: Node) -> int | None:
        return self.owner.get(node.view_of.key if node.view_of else node.key)

    def _take(self, node: Node) -> None:
        if node.external or node.view_of or node.key in self.owner:
            return
        if node.op in IN_PLACE:
            for parent in node.sources:
                if not self._may_pass_on(parent):
                    continue
                same = (parent.kind, parent.dims, parent.strides) == (node.kind, node.dims, node.strides)
                self.decisions.append((self.segment, node.op, "in place" if same else "new"))
                if same:
                    self.owner[node.key] = self.owner.pop(parent.key)
                    return
        self.owner[node.key] = len(self.slots)
        state = any(source.name.startswith("cache_") for source in node.sources)
        self.slots.append(Slot(_label(node), node.bytes, self.segment, bool(node.flags & FLAG_INPUT), state))
        self._step(len(self.slots) - 1, True)

    def _may_pass_on(self, parent: Node) -> bool:
        return (
            parent.key in self.owner
            and not parent.flags & FLAG_OUTPUT
            and self.children[parent.key] == 1
            and self.views[parent.key] == 0
        )

    def _count_down(self, source: Node) -> None:
        self.children[source.key] -= 1
        if self.children[source.key] or self.views[source.key]:
            return
        target = source
        if source.view_of:
            target = source.view_of
            self.views[target.key] -= 1
            if self.views[target.key] or self.children[target.key]:
                return
        if target.key in self.owner and not target.flags & FLAG_OUTPUT:
            slot = self.owner.pop(target.key)
            self.slots[slot].freed_in = self.segment
            self._step(slot, False)

    def _step(self, slot: int, taken: bool) -> None:
        self.steps.append((self.segment, slot, taken))
        self.counts[self.segment] += 1


def lifetimes(nodes: list[Node], leafs: list[Node], layers: int) -> Lifetimes:
    """What the allocator would do with this graph, apart from where it puts things."""
    return _Walk(nodes, leafs, layers).run()


def segments(nodes: list[Node], layers: int) -> list[int]:
    """The layer each node belongs to; -1 before the first layer. What follows the last layer counts with it."""
    tags = [_layer_of(node) for node in nodes]
    last = [-1] * layers
    for position, layer in enumerate(tags):
        if layer is not None and layer < layers:
            last[layer] = position
    # what follows a layer without a name of its own, such as the sum with the residual, belongs to it; views of
    # inputs made for the next layer do not
    for layer in range(layers - 1):
        while tags[last[layer] + 1] is None:
            last[layer] += 1
        while tags[last[layer]] is None and nodes[last[layer]].op in VIEWS:
            last[layer] -= 1
    first = tags.index(0)
    while first and nodes[first - 1].op in VIEWS:
        first -= 1
    found, layer = [], 0
    for position in range(len(nodes)):
        while layer < layers - 1 and position > last[layer]:
            layer += 1
        found.append(PROLOGUE if position < first else layer)
    return found


def _layer_of(node: Node) -> int | None:
    """The layer in its name, or in that of the weight or cache it reads."""
    names = [node.name]
    for source in node.sources:
        names += [name for name in (source.name, source.view_of.name if source.view_of else "") if _OWNED.match(name)]
    for name in names:
        match = _LAYER.search(name)
        if match:
            return int(next(group for group in match.groups() if group))
    return None


def _label(node: Node) -> str:
    """An input's name; other buffers may carry that of whichever operation came first."""
    return f"{node.op}:{node.name}" if node.flags & FLAG_INPUT else node.op


def work_of(node: Node) -> Work | None:
    """What ``ggml_graph_plan`` (ggml/src/ggml-cpu/ggml-cpu.c, 0c1e57098) takes scratch memory for."""
    dims = [source.dims for source in node.sources]
    if node.op == "MUL_MAT":
        return Work(node.op, _weight(node.sources[0]), (_elements(dims[1]),))
    if node.op == "MUL_MAT_ID":
        return Work(node.op, _weight(node.sources[0]), (_elements(dims[1]), dims[0][2], dims[2][0], dims[2][1]))
    if node.op == "FLASH_ATTN_EXT":
        return Work(node.op, "", (dims[1][0], dims[2][0], dims[0][2]))
    if node.op == "SOFT_MAX":
        return Work(node.op, "", (node.dims[0],))
    if node.op in ("ROPE", "ROPE_BACK", "TOP_K", "LIGHTNING_INDEXER"):
        width = {"TOP_K": dims[0][0], "LIGHTNING_INDEXER": dims[1][0] if len(dims) > 1 else 0}.get(
            node.op, node.dims[0]
        )
        return Work(node.op, "", (width,))
    if node.op == "GATED_DELTA_NET":
        return Work(node.op, "", (dims[2][0], max(1, node.parameter)))
    if node.op in ("CPY", "DUP") and node.kind not in (0, 1, 30, 26, 27):
        return Work(node.op, "", (node.dims[0],))
    return None


def _elements(dims: tuple[int, ...]) -> int:
    return dims[0] * dims[1] * dims[2] * dims[3]


def _weight(node: Node) -> str:
    """The tensor's name within its layer, ``K`` or ``V`` for the cache, ``:0`` for a computed one of ggml type 0."""
    name = node.view_of.name if node.view_of else node.name
    if name.startswith("cache_"):
        return name[6].upper()
    if name == "token_embd.weight":
        return "output.weight"  # of a model that ties them: an embedding is never the left side otherwise
    if node.external or (node.view_of and node.view_of.external):
        return re.sub(r"^blk\.\d+\.", "", name)
    return f":{node.kind}"
