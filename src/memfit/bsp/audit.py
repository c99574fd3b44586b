"""The ledger of carveouts of a board in a BSP tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memfit.bsp import _plan, carveouts
from memfit.bsp._plan import Trees
from memfit.bsp.carveouts import Carved
from memfit.bsp.layout import find_layout
from memfit.bsp.purposes import NOT_KEPT, PURPOSES
from memfit.bsp.recipes import RECIPES, Recipe
from memfit.bsp.records import BspAudit, CarveoutRow, Verdict
from memfit.errors import MemfitError


def audit_tree(tree: str, board: str, needs: Iterable[str] = (), configuration: str | None = None) -> BspAudit:
    """Every carveout of the compiled boot configuration: how large, what for, and whether it can go; only reads.

    Args:
        tree: a Linux_for_Tegra folder.
        board: a module, ``p3767-0003``.
        needs: uses that are kept, ``display`` and ``camera``.
        configuration: the carrier's ``.conf``, where it is not the developer kit.

    Raises:
        UsageError: no such tree, board or configuration.
        ProbeError: the tree cannot be read or compiled.
    """
    layout = find_layout(tree, board, configuration)
    trees = Trees.of(layout)
    found, kept = carveouts.carveouts(trees.mb1), frozenset(needs)
    half_done, blocked = _states(trees)
    rows = tuple(_row(one, layout.board.family, kept, blocked) for one in found)
    warnings = tuple(f"{name} cannot be given up here: {why}" for name, why in blocked.items() if name not in kept)
    return BspAudit(
        tree=str(layout.root),
        board=layout.board.name,
        module=layout.board.module,
        release=layout.release,
        files=(layout.mb1, layout.mb2, *layout.kernel),
        carveouts=rows,
        sum_bytes=carveouts.total(found),
        kept_bytes=carveouts.total(found, NOT_KEPT),
        published_bytes=sum(row.bytes or 0 for row in rows if row.can_go == "yes"),
        experimental_bytes=sum(row.bytes or 0 for row in rows if row.can_go == "experimental"),
        configuration=configuration or "",
        half_done=half_done,
        warnings=(*layout.notes, *warnings),
    )


def _row(one: Carved, family: str, needs: frozenset[str], blocked: Mapping[str, str]) -> CarveoutRow:
    recipe = _recipe_of(one)
    purpose, stays = next((PURPOSES[name] for name in one.names if name in PURPOSES), ("", ""))
    can_go: Verdict = "no"
    if one.bytes == 0:
        can_go = "gone"
    elif recipe is not None and recipe.need in needs:
        can_go = "needed"
    elif recipe is not None and recipe.name not in blocked:
        can_go = "experimental" if recipe.is_experimental(family) else "yes"
    return CarveoutRow(
        name=one.name,
        aliases=one.names[1:],
        bytes=one.bytes,
        purpose=purpose,
        stays=(stays or "patch refuses it here: see the warnings") if can_go == "no" else "",
        recipe="" if recipe is None else recipe.name,
        need="" if recipe is None else recipe.need,
        can_go=can_go,
    )


def _recipe_of(one: Carved) -> Recipe | None:
    return next((recipe for recipe in RECIPES if set(one.names) & {*recipe.carveouts, *recipe.also}), None)


def _states(trees: Trees) -> tuple[tuple[str, ...], dict[str, str]]:
    """Published recipes whose memory is gone while something still relies on it; and those not made for this layout."""
    half_done = []
    blocked: dict[str, str] = {}
    for recipe in RECIPES:
        if recipe.is_experimental(trees.layout.board.family):
            continue
        try:
            wants = [*_plan.wants_of(trees, [recipe]), *(one for one, _ in _plan.kernel_wants(trees.layout, [recipe]))]
        except MemfitError as error:
            blocked[recipe.name] = error.message
            continue
        counted = {want for want in wants if want.carveout in recipe.carveouts}
        given_up = any(want.done for want in counted)
        todo = [want for want in wants if not want.done and want.published and (want.kind != "zero" or want in counted)]
        if given_up and todo:
            half_done.append(f"{recipe.name} still has {', '.join(want.written for want in todo)}")
    return tuple(half_done), blocked
