"""What has to be so for a recipe, and what of it is: decided on compiled trees alone.

A tree whose nodes are not those that a recipe speaks of is refused, and the missing node named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from memfit.bsp import carveouts
from memfit.bsp._addresses import node_of, nodes_of, number_of
from memfit.bsp.fdt import Blob, number, strings
from memfit.bsp.merged import Merged
from memfit.bsp.recipes import Cluster, KernelNode, Recipe
from memfit.errors import ProbeError
from memfit.units import format_bytes

TRANSLATION = "/mb2-misc/auxp_ast_config@"
Kind = Literal["zero", "cluster", "translation", "kernel"]
_CARVEOUT = f"{carveouts.FOLDER}/{carveouts.NODE}"


class Want(NamedTuple):
    """One thing that has to be so.

    Attributes:
        written: the node's path as a source names it. path: as it is once compiled.
        file: that was compiled. done: it is so.
        carveout: whose size it is, without ``CARVEOUT_``.
    """

    kind: Kind
    recipe: Recipe
    written: str
    path: str
    file: str
    done: bool
    does: str
    published: bool = True
    carveout: str = ""

    @property
    def name(self) -> str:
        """The node's name in a source."""
        return self.written.rpartition("/")[2]


def zeros(recipe: Recipe, mb1: Merged) -> Iterator[Want]:
    """No carveout has a size.

    Raises:
        ProbeError: the tree does not know one of them.
    """
    sizes = {one.unit: one.bytes for one in carveouts.carveouts(mb1)}
    for name in (*recipe.carveouts, *recipe.also):
        unit = carveouts.unit_of(mb1, name)
        written = f"{_CARVEOUT}{carveouts.PREFIX}{name}"
        number = None if unit is None else number_of(unit)
        if unit is None or number is None:
            if name in recipe.also:
                continue
            raise _missing(mb1.main, written, recipe)
        node = node_of(mb1, _CARVEOUT, number)
        if node is not None and node.path != f"{_CARVEOUT}{unit}":
            written, unit = node.path, node.path.removeprefix(_CARVEOUT)
        size = sizes.get(unit)
        if node is not None and size is None:
            raise ProbeError(f"{mb1.main}: {written} has no size of one or two cells", hint=other_layout(recipe))
        does = "0; it is not there now" if node is None else f"{format_bytes(size or 0)} → 0"
        path = f"{_CARVEOUT}{unit}"
        yield Want("zero", recipe, written, path, mb1.main, node is not None and size == 0, does, carveout=name)


def cluster(recipe: Recipe, mb2: Merged) -> Iterator[Want]:
    """Nobody brings the cluster up.

    Raises:
        ProbeError: the tree does not have it.
    """
    wanted = recipe.cluster
    if wanted is None:
        return
    node = node_of(mb2, wanted.path.rpartition("@")[0] + "@", wanted.number)
    if node is None:
        if wanted.required:
            raise _missing(mb2.main, wanted.path, recipe)
        return
    done = all(number(node.properties.get(name)) == value for name, value in wanted.properties)
    does = f"{wanted.name} is neither loaded nor started"
    yield Want("cluster", recipe, node.path, node.path, mb2.main, done, does)


def translations(recipe: Recipe, mb1: Merged, mb2: Merged) -> Iterator[Want]:
    """No address translation maps the carveouts.

    An entry says in its regions whose memory it maps, where it says so at all. One of the notes' numbers that maps
    something else, if only as well, is refused: its regions would be lost. One of another number that maps nothing but
    these carveouts goes as well.

    Raises:
        ProbeError: an entry maps something else.
    """
    if not recipe.translations:
        return
    names = (*recipe.carveouts, *recipe.also)
    ours = {number_of(unit) for name in names if (unit := carveouts.unit_of(mb1, name)) is not None}
    published = recipe.translations_published
    seen = set()
    for entry in recipe.translations:
        nodes = nodes_of(mb2, TRANSLATION, entry)
        if not nodes:
            path = f"{TRANSLATION}{entry}"
            yield Want("translation", recipe, path, path, mb2.main, True, "not there", published)
        for node in nodes:
            others = _owners(node) - ours
            if others:
                other = ", ".join(str(owner) for owner in sorted(others))
                which = "as well as" if _owners(node) & ours else "and none of"
                raise ProbeError(
                    f"{mb2.main}: {node.path} maps carveout {other} {which} {recipe.name}'s",
                    hint=other_layout(recipe),
                )
            seen.add(node.path)
            yield Want("translation", recipe, node.path, node.path, mb2.main, False, "removed", published)
    top = mb2.root.at("/mb2-misc")
    for node in () if top is None else top.children:
        if node.path.startswith(TRANSLATION) and node.path not in seen and _owners(node) and _owners(node) <= ours:
            does = "removed: it maps only these"
            yield Want("translation", recipe, node.path, node.path, mb2.main, False, does, False)


def kernel(recipe: Recipe, blob: Blob, file: str) -> Iterator[Want]:
    """The kernel does not look for the device.

    Raises:
        ProbeError: the tree has no such device.
    """
    for device in recipe.kernel:
        nodes = _devices(device, blob)
        if not nodes:
            raise _missing(file, f"{device.path} ({device.compatible})", recipe)
        for node in nodes:
            status = "".join(strings(node.properties.get("status", b"okay\0")))
            done = status == "disabled"
            yield Want("kernel", recipe, node.path, node.path, file, done, f"status {status} → disabled")


def other_layout(recipe: Recipe) -> str:
    """What to do about a tree that the recipe is not written for."""
    leave = f"--needs {recipe.need} leaves it out" if recipe.need else "without --experimental it is left out"
    return f"this layout is not the one that the recipe is written for: {leave}"


def clashing_comment(wanted: Cluster, comment: str) -> str | None:
    """The cluster that a node's comment names, where that is another one."""
    words = comment.replace("*/", " ").replace("/*", " ").split()
    for word, after in pairwise(words):
        if after.strip(".,:") == "cluster" and word.isupper() and word != wanted.name:
            return word
    return None


def _devices(device: KernelNode, blob: Blob) -> tuple[Blob, ...]:
    found = tuple(node for node in blob.walk() if device.compatible in node.compatible())
    if found:
        return found
    there = blob.at(device.path)
    return () if there is None else (there,)


def _owners(node: Blob) -> set[int]:
    values = (number(inner.properties.get("carveout")) for inner in node.walk())
    return {value for value in values if value is not None}


def _missing(file: str, node: str, recipe: Recipe) -> ProbeError:
    return ProbeError(f"{file}: there is no {node}", hint=other_layout(recipe))
