"""Compute graphs as ggml allocates them: which tensor takes memory, which shares it, and when it is given back.

Follows ``ggml_gallocr_alloc_graph_impl`` in ggml/src/ggml-alloc.c and ``ggml_visit_parents_graph`` in ggml/src/ggml.c
(llama.cpp 0c1e57098) for one backend.
"""

from __future__ import annotations

from math import prod

from memfit.engine._llama_cpp.allocator import Planner

Dims = tuple[int, ...]
F32, F16, I32 = 4, 2, 4


class Node:
    """One tensor of a graph.

    Attributes:
        bytes: what it takes where it has memory of its own.
        layout: equal for tensors of the same type, dims and strides; None where nothing else can be alike.
        parents: what it is computed from, in ggml's order of sources.
        source: the tensor whose memory this one is a view of.
        reuses: an operation that may write over a parent (``ggml_op_can_inplace``).
    """

    __slots__ = ("bytes", "children", "held", "layout", "offset", "parents", "reuses", "source", "views", "weight")

    def __init__(
        self,
        size_bytes: int,
        layout: tuple[int, ...] | None,
        parents: tuple[Node, ...],
        *,
        source: Node | None = None,
        reuses: bool = False,
        weight: bool = False,
    ) -> None:
        self.bytes = size_bytes
        self.layout = layout
        self.parents = parents
        self.source = source
        self.reuses = reuses
        self.weight = weight
        self.children = self.views = self.offset = 0
        self.held = False

    @property
    def dims(self) -> Dims:
        """Its dims, row first, without trailing ones."""
        return (self.layout or (0,))[1:]


class Graph:
    """A graph in the order in which the engine computes it."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._leaves: list[Node] = []
        self._seen: set[int] = set()
        self._keep: list[Node] = []

    def given(self, *dims: int, each: int = F32) -> Node:
        """An input, which has memory of its own from the start."""
        return self._new(dims, each, ())

    def weight(self) -> Node:
        """A tensor of the file, which lies in a buffer of its own."""
        node = Node(0, None, (), weight=True)
        self._keep.append(node)
        return node

    def computed(self, dims: Dims, *parents: Node, each: int = F32, reuses: bool = False) -> Node:
        """A contiguous result."""
        return self._new(dims, each, parents, reuses=reuses)

    def over(self, parent: Node, *others: Node) -> Node:
        """A result like its first parent, written over it where nothing else needs it: sums, products, activations."""
        node = Node(parent.bytes, parent.layout, (parent, *others), reuses=True)
        self._keep.append(node)
        return node

    def view(self, parent: Node, *dims: int) -> Node:
        """The same memory read as contiguous ``dims``, or permuted or cut where none are given."""
        layout = None if not dims else _layout(dims, (parent.layout or (F32,))[0])
        node = Node(parent.bytes, layout, (parent,), source=parent.source or parent)
        self._keep.append(node)
        return node

    def expand(self, node: Node) -> None:
        """Put a node behind everything it needs, depth first, as far as it is not in the graph yet."""
        stack: list[tuple[Node, int]] = [(node, 0)]
        while stack:
            current, index = stack.pop()
            if index == 0:
                if id(current) in self._seen:
                    continue
                self._seen.add(id(current))
            if index < len(current.parents):
                stack.append((current, index + 1))
                stack.append((current.parents[index], 0))
            elif current.parents:
                self._nodes.append(current)
            else:
                self._leaves.append(current)

    def peak_bytes(self) -> int:
        """Size of the compute buffer."""
        planner = Planner()
        for node in self._leaves:
            self._hold(node, planner)
        for node in self._nodes:
            if node.source is not None:
                node.source.views += 1
            for parent in node.parents:
                parent.children += 1
        for node in self._nodes:
            for parent in node.parents:
                self._hold(parent, planner)
            self._hold(node, planner)
            for parent in node.parents:
                parent.children -= 1
                self._release(parent, planner)
        return planner.peak_bytes

    def _new(self, dims: Dims, each: int, parents: tuple[Node, ...], *, reuses: bool = False) -> Node:
        node = Node(prod(dims) * each, _layout(dims, each), parents, reuses=reuses)
        self._keep.append(node)
        return node

    @staticmethod
    def _hold(node: Node, planner: Planner) -> None:
        if node.held or node.weight or node.source is not None:
            return
        node.held = True
        if node.reuses:
            for parent in node.parents:
                if _reusable(parent, node):
                    node.offset, parent.held = parent.offset, False
                    return
        node.offset = planner.take(node.bytes)

    @staticmethod
    def _release(parent: Node, planner: Planner) -> None:
        if parent.children or parent.views:
            return
        owner = parent
        if parent.source is not None:
            owner = parent.source
            owner.views -= 1
            if owner.views or owner.children:
                return
        if owner.held:
            owner.held = False
            planner.give_back(owner.offset, owner.bytes)


def _layout(dims: Dims, each: int) -> tuple[int, ...]:
    last = len(dims)
    while last > 1 and dims[last - 1] == 1:
        last -= 1
    return (each, *dims[:last])


def _reusable(parent: Node, node: Node) -> bool:
    """Whether ``node`` may take over a parent's memory. Views never: ggml does not count them as allocated."""
    alike = parent.layout is not None and parent.layout == node.layout
    return alike and parent.held and parent.children == 1 and not parent.views
