"""What has to be so for a recipe, and what of it is: decided on compiled trees alone.

A tree whose nodes are not those that a recipe speaks of is refused, and the missing node named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from memfit.bsp import carveouts
from memfit.bsp.fdt import Blob, number, strings
from memfit.bsp.merged import Merged
from memfit.bsp.recipes import Cluster, KernelNode, Recipe
from memfit.errors import ProbeError
from memfit.units import format_bytes

TRANSLATION = "/mb2-misc/auxp_ast_config@"
Kind = Literal["zero", "cluster", "translation", "kernel"]
_KEEPS = "this layout is not the one that the recipe is written for"


class Want(NamedTuple):
    """One thing that has to be so.

    Attributes:
        written: the node's path as a source names it. path: as it is once compiled.
        file: that was compiled. done: it is so.
    """

    kind: Kind
    recipe: Recipe
    written: str
    path: str
    file: str
    done: bool
    does: str
    published: bool = True

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
        node = f"{carveouts.NODE}{carveouts.PREFIX}{name}"
        if unit is None:
            if name in recipe.also:
                continue
            raise _missing(mb1.main, f"{carveouts.FOLDER}/{node}", recipe)
        there = unit in sizes
        size = sizes.get(unit)
        if there and size is None:
            raise ProbeError(
                f"{mb1.main}: {carveouts.FOLDER}/{node} has no size of one or two cells", hint=_KEEPS + _keep(recipe)
            )
        does = f"{format_bytes(size or 0)} → 0" if there else "0; it is not there now"
        path = f"{carveouts.FOLDER}/{carveouts.NODE}{unit}"
        yield Want("zero", recipe, f"{carveouts.FOLDER}/{node}", path, mb1.main, there and size == 0, does)


def cluster(recipe: Recipe, mb2: Merged) -> Iterator[Want]:
    """Nobody brings the cluster up.

    Raises:
        ProbeError: the tree does not have it.
    """
    wanted = recipe.cluster
    if wanted is None:
        return
    node = mb2.root.at(wanted.path)
    if node is None:
        if wanted.required:
            raise _missing(mb2.main, wanted.path, recipe)
        return
    done = all(number(node.properties.get(name)) == value for name, value in wanted.properties)
    does = f"{wanted.name} is neither loaded nor started"
    yield Want("cluster", recipe, wanted.path, wanted.path, mb2.main, done, does)


def translations(recipe: Recipe, mb1: Merged, mb2: Merged) -> Iterator[Want]:
    """No address translation maps the carveouts.

    An entry says in its regions whose memory it maps, where it says so at all. One of the notes' numbers that maps
    something else is refused; one of another number that maps nothing but these carveouts goes as well.

    Raises:
        ProbeError: an entry maps something else.
    """
    if not recipe.translations:
        return
    names = (*recipe.carveouts, *recipe.also)
    ours = {_as_number(unit) for name in names if (unit := carveouts.unit_of(mb1, name)) is not None}
    top = mb2.root.at("/mb2-misc")
    entries = () if top is None else top.children
    found = {node.path: _owners(node) for node in entries if node.path.startswith(TRANSLATION)}
    for entry in recipe.translations:
        path = f"{TRANSLATION}{entry}"
        owners = found.pop(path, None)
        if owners and not owners & ours:
            other = ", ".join(str(owner) for owner in sorted(owners))
            raise ProbeError(
                f"{mb2.main}: {path} maps carveout {other} and none of {recipe.name}'s", hint=_KEEPS + _keep(recipe)
            )
        gone = owners is None
        yield Want(
            *("translation", recipe, path, path, mb2.main, gone, "removed" if not gone else "not there"),
            published=recipe.translations_published,
        )
    for path, owners in found.items():
        if owners and owners <= ours:
            yield Want("translation", recipe, path, path, mb2.main, False, "removed: it maps only these", False)


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


def _as_number(unit: str) -> int:
    try:
        return int(unit, 0)
    except ValueError:
        return -1


def _missing(file: str, node: str, recipe: Recipe) -> ProbeError:
    return ProbeError(f"{file}: there is no {node}", hint=_KEEPS + _keep(recipe))


def _keep(recipe: Recipe) -> str:
    return f": --needs {recipe.need} leaves it out" if recipe.need else ""
