"""From a tree and what is wanted of it to new texts, compiled and compared before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from memfit.bsp import _wants, carveouts
from memfit.bsp._difference import difference, digest
from memfit.bsp._rewrite import rewritten
from memfit.bsp._setters import setters, setters_of
from memfit.bsp._tools import put_string
from memfit.bsp._wants import Want
from memfit.bsp.fdt import Blob, read_blob
from memfit.bsp.layout import Layout, includers
from memfit.bsp.merged import Merged, differences, merge, merge_again
from memfit.bsp.recipes import RECIPES, Recipe
from memfit.bsp.records import GONE_ALREADY, BspStep, FileEdit, Reclaimed, Style
from memfit.errors import ApplyError, ProbeError

_KEEP = "--needs keeps the use"


class Trees(NamedTuple):
    """A layout with everything of it compiled."""

    layout: Layout
    mb1: Merged
    mb2: Merged

    @classmethod
    def of(cls, layout: Layout) -> Trees:
        """Compile both boot configurations.

        Raises:
            ProbeError: as ``merge``.
        """
        return cls(layout, *(merge(layout.root, main, layout.includes) for main in (layout.mb1, layout.mb2)))

    def with_contents(self, changed: Mapping[str, bytes]) -> Trees:
        """The same with other contents of files; nothing is written.

        Raises:
            ProbeError: one of them does not compile any more.
        """
        root, includes = self.layout.root, self.layout.includes
        return Trees(self.layout, *(merge_again(one, root, includes, changed) for one in (self.mb1, self.mb2)))


class Planned(NamedTuple):
    """New contents of files by path, the steps they are for, and what they give."""

    contents: dict[str, bytes]
    files: tuple[FileEdit, ...]
    steps: tuple[BspStep, ...]
    reclaimed: tuple[Reclaimed, ...]
    reclaimed_bytes: int


def choose(
    trees: Trees, needs: Iterable[str], *, experimental: bool
) -> tuple[tuple[Recipe, ...], tuple[tuple[str, str], ...]]:
    """Recipes to apply, and those that are left with the reason; what has nothing to give is in neither."""
    family, needed = trees.layout.board.family, set(needs)
    sizes = {name: one.bytes for one in carveouts.carveouts(trees.mb1) for name in one.names}
    chosen, left = [], []
    for recipe in RECIPES:
        if recipe.need in needed:
            gone = not any(sizes.get(name, 1) for name in recipe.carveouts)
            why = GONE_ALREADY if gone else f"kept for {recipe.need}"
            left.append((recipe.name, why))
        elif not recipe.is_experimental(family):
            chosen.append(recipe)
        elif any(sizes.get(name) for name in recipe.carveouts):
            if experimental:
                chosen.append(recipe)
            else:
                left.append((recipe.name, f"nobody has published it for {family} modules: --experimental takes it"))
    unserved = needed - {recipe.need for recipe in RECIPES}
    left += [(need, "no carveout serves it") for need in sorted(unserved)]
    return tuple(chosen), tuple(left)


def wants_of(trees: Trees, recipes: Iterable[Recipe]) -> tuple[Want, ...]:
    """Everything that has to be so in the boot configurations.

    Raises:
        ProbeError: the tree's layout is another one.
    """
    found: list[Want] = []
    for recipe in recipes:
        found += _wants.zeros(recipe, trees.mb1)
        found += _wants.cluster(recipe, trees.mb2)
        found += _wants.translations(recipe, trees.mb1, trees.mb2)
    return tuple(found)


def kernel_wants(layout: Layout, recipes: Iterable[Recipe]) -> tuple[tuple[Want, Blob], ...]:
    """What has to be so in the kernel's device trees, each with its tree.

    Raises:
        ProbeError: there is none, it is of another board, or it does not have the device.
    """
    asking = [recipe for recipe in recipes if recipe.kernel]
    if asking and not layout.kernel:
        what = f"{layout.root}/kernel/dtb: there is no {layout.kernel_missing}"
        raise ProbeError(what, hint="unpack the kernel of this release, or keep the display: --needs display")
    found = []
    for file in layout.kernel if asking else ():
        blob = read_blob(layout.read(file), file)
        words = " ".join(blob.compatible())
        # carriers' makers write one tree for all modules of a family, and their configuration has it flashed
        if (layout.board.family if layout.kernel_named else layout.board.module) not in words:
            raise ProbeError(
                f"{file}: it is for {words or 'no board'}, not for {layout.board.module}",
                hint="name the board that the tree is for, or take the file from the kernel of this release again",
            )
        found += [(want, blob) for recipe in asking for want in _wants.kernel(recipe, blob, file)]
    return tuple(found)


def plan(trees: Trees, recipes: tuple[Recipe, ...], style: Style) -> Planned:
    """Contents that make it so, proven on the trees they compile to.

    Raises:
        ProbeError: the tree cannot be read, or its layout is another one.
        ApplyError: somebody else set one of these nodes, or the result is not what was meant.
    """
    layout = trees.layout
    wants = wants_of(trees, recipes)
    contents, places = rewritten(trees.layout, trees.mb1, trees.mb2, wants, style)
    try:
        after = trees.with_contents(contents)
    except ProbeError as error:
        hint = f"nothing was written: look for what refers to a node that goes (&label); {_KEEP}"
        raise ProbeError(f"with the change made, {error.message}", hint=hint) from error
    _prove(trees, after, wants, recipes)
    in_kernel = kernel_wants(layout, recipes)
    contents |= _kernel_contents(layout, in_kernel)
    every = (*wants, *(want for want, _ in in_kernel))
    return Planned(
        contents=contents,
        files=tuple(_edit(layout, file, content) for file, content in contents.items()),
        steps=tuple(_step(want, places) for want in every),
        reclaimed=_reclaimed(trees.mb1, after.mb1, recipes),
        reclaimed_bytes=carveouts.total(carveouts.carveouts(trees.mb1))
        - carveouts.total(carveouts.carveouts(after.mb1)),
    )


def _prove(before: Trees, after: Trees, wants: tuple[Want, ...], recipes: tuple[Recipe, ...]) -> None:
    """The compiled trees differ where they should, and nowhere else."""
    for want in wants_of(after, recipes):
        if not want.done:
            merged = after.mb1 if want.kind == "zero" else after.mb2
            last = setters_of(setters(merged), want.path)
            where = f"{last[-1].place} sets it last" if last else "something overrides it"
            raise ApplyError(
                f"{want.file}: {want.written} is as it was once everything is compiled: {where}",
                hint="nothing was written; take that out first, or --style override writes behind everything else",
            )
    sizes = {
        f"{carveouts.FOLDER}/{carveouts.NODE}{one.unit}": one.bytes or 0 for one in carveouts.carveouts(before.mb1)
    }
    planned = sum(sizes.get(path, 0) for path in {want.path for want in wants if want.kind == "zero"})
    won = carveouts.total(carveouts.carveouts(before.mb1)) - carveouts.total(carveouts.carveouts(after.mb1))
    if won != planned:
        what = f"{before.mb1.main}: {won} bytes less, where {planned} were meant"
        raise ApplyError(what, hint=f"nothing was written: look for sizes that are set elsewhere as well; {_KEEP}")
    meant = {want.path for want in wants if not want.done}
    for want in wants:
        if want.kind == "cluster" and not want.done:
            _prove_cluster(want, before.mb2, after.mb2)
    for one, other in ((before.mb1, after.mb1), (before.mb2, after.mb2)):
        for path in differences(one.root, other.root):
            if not any(path == each or path.startswith(f"{each}/") for each in meant):
                what = f"{one.main}: {path} would change as well"
                hint = f"nothing was written: look for what refers to a node that goes (&label); {_KEEP}"
                raise ApplyError(what, hint=hint)


def _prove_cluster(want: Want, before: Merged, after: Merged) -> None:
    """Nothing but its own properties is another one: what is below it stays."""
    one, other = before.root.at(want.path), after.root.at(want.path)
    meant = {} if want.recipe.cluster is None else dict(want.recipe.cluster.properties)
    if one is None or other is None or set(other.own()) != set(meant) or one.children != other.children:
        raise ApplyError(
            f"{want.file}: more of {want.written} would change than what brings it up",
            hint=f"nothing was written: look for what refers to it (&label); {_KEEP}",
        )


def _kernel_contents(layout: Layout, wants: tuple[tuple[Want, Blob], ...]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for want, _ in wants:
        if not want.done:
            content = contents.get(want.file) or layout.read(want.file)
            contents[want.file] = put_string(content, want.path, "status", "disabled", want.file)
    for file, content in contents.items():
        meant = {want.path for want, _ in wants if want.file == file and not want.done}
        blob = next(blob for want, blob in wants if want.file == file)
        if set(differences(blob, read_blob(content, file))) != meant:
            what = f"{file}: fdtput changed more than {', '.join(sorted(meant))}"
            raise ApplyError(what, hint=f"nothing was written: take the file from the BSP again; {_KEEP}")
    return contents


def _edit(layout: Layout, file: str, content: bytes) -> FileEdit:
    before = layout.read(file)
    return FileEdit(
        path=file,
        text=difference(file, before, content),
        sha256_before=digest(before),
        sha256_after=digest(content),
        also_included_by=() if file.endswith(".dtb") else includers(layout, file),
    )


def _step(want: Want, places: Mapping[str, str]) -> BspStep:
    return BspStep(
        recipe=want.recipe.name,
        target=want.written,
        does=want.does,
        file=places.get(want.path, want.file),
        done=want.done,
        published=want.published and bool(want.recipe.published_for),
    )


def _reclaimed(before: Merged, after: Merged, recipes: tuple[Recipe, ...]) -> tuple[Reclaimed, ...]:
    sizes = {one.unit: one.bytes or 0 for one in carveouts.carveouts(after)}
    owner = {name: recipe.name for recipe in recipes for name in (*recipe.carveouts, *recipe.also)}
    return tuple(
        Reclaimed(
            name=one.name,
            recipe=next((owner[name] for name in one.names if name in owner), ""),
            before_bytes=one.bytes,
            after_bytes=sizes[one.unit],
        )
        for one in carveouts.carveouts(before)
        if one.bytes is not None and one.bytes != sizes.get(one.unit, 0)
    )
