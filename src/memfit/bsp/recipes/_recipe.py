"""The record of a recipe: what has to change together so that a carveout can go, and everything that relies on it."""

from __future__ import annotations

import msgspec

NOTES = "Maximizing Memory Efficiency to Run Bigger Models on NVIDIA Jetson, table 2"


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """A processor of its own beside the CPU, as MB2 brings it up: ``/mb2-misc/auxp_controls@NUMBER``.

    Attributes:
        number: as the notes have it; the comment before the node names the cluster, and must not name another.
        properties: the node's whole content where nothing is brought up.
        required: a tree without the node is not the layout that this is written for.
        own: boards' own files set it as well, so that they are overridden and not taken for somebody's wish.
    """

    name: str
    number: int
    properties: tuple[tuple[str, int], ...]
    required: bool = True
    own: bool = False

    @property
    def path(self) -> str:
        """Of the node."""
        return f"/mb2-misc/auxp_controls@{self.number}"


class KernelNode(msgspec.Struct, frozen=True, kw_only=True):
    """A device in the kernel's tree that must not be probed any more: found by ``compatible``, else by ``path``."""

    compatible: str
    path: str


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What gives one use's memory back.

    Attributes:
        need: the use, a word of ``--needs``, which keeps it; empty where only ``--experimental`` gives it up.
        summary: what goes. cost: what is given up.
        carveouts: names without ``CARVEOUT_``; all must be known to the tree.
        also: carveouts of the notes that need not be known.
        cluster: what must not be brought up.
        translations: numbers of ``/mb2-misc/auxp_ast_config@…`` that map these carveouts, as the notes have them.
        translations_published: whether it is the notes that remove those.
        kernel: devices to disable.
        published_for: families of modules that the source speaks of; elsewhere it is experimental.
        caution: what nobody has shown yet.
    """

    name: str
    need: str
    summary: str
    cost: str
    carveouts: tuple[str, ...]
    also: tuple[str, ...] = ()
    cluster: Cluster | None = None
    translations: tuple[int, ...] = ()
    translations_published: bool = True
    kernel: tuple[KernelNode, ...] = ()
    published_for: tuple[str, ...] = ()
    caution: str = ""
    source: str

    def is_experimental(self, family: str) -> bool:
        """Whether nobody published it for such modules."""
        return family not in self.published_for
