"""A patch of a BSP tree: what it would be, made as one transaction, and taken back to the byte."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from memfit.agent.failure import Failure
from memfit.agent.journal import Entry
from memfit.agent.machine import Image
from memfit.agent.transaction import Transactions
from memfit.agent.tree import Tree
from memfit.bsp._drift import changed, told_of_blobs
from memfit.bsp._failures import as_error
from memfit.bsp._plan import Planned, Trees, choose, plan
from memfit.bsp.layout import find_layout, find_root
from memfit.bsp.recipes import Recipe
from memfit.bsp.records import STYLES, BspDiff, BspReceipt, Patch, Reclaimed, Style
from memfit.errors import ApplyError, UnknownName

HOME = "/.memfit"
"""Where in the tree the journal lies."""
_IDENTITY = "a BSP tree"
_VERIFIED = "36.2"
_CAUTIONS = (
    "a flash writes the whole device, and a board that does not start after it needs recovery mode: try that way first",
    "never flash from the board itself",
)
_JOINED = "the kernel's device tree is flashed twice: also joined to the display controller's firmware"


def plan_patch(
    tree: str,
    board: str,
    needs: Iterable[str] = (),
    style: str = "override",
    experimental: bool = False,
    configuration: str | None = None,
) -> Patch:
    """What a patch would change, and what that gives; nothing is written.

    Args:
        tree: a Linux_for_Tegra folder.
        board: a module, ``p3767-0003``.
        needs: uses that are kept, ``display`` and ``camera``.
        style: ``override`` or ``edit``.
        experimental: also what nobody has published for such modules.
        configuration: the carrier's ``.conf``, where it is not the developer kit.

    Raises:
        UsageError: no such tree, board, style or configuration.
        ProbeError: the tree cannot be read, or its layout is another one; names the node.
        ApplyError: somebody else set one of these nodes, or an earlier patch was interrupted.
    """
    return _planned(tree, board, tuple(needs), style, experimental, configuration)[0]


def patch(
    tree: str,
    board: str,
    needs: Iterable[str] = (),
    style: str = "override",
    experimental: bool = False,
    configuration: str | None = None,
) -> BspReceipt:
    """Change the tree, all or nothing; what an interrupted patch left is taken back first.

    Raises:
        UsageError, ProbeError, ApplyError: as ``plan_patch``, and then nothing was changed.
        NeedsRoot, ApplyError: the tree may not be written, or the disk is full.
    """
    root = find_root(tree)
    _recovered(root)
    told, planned, root = _planned(tree, board, tuple(needs), style, experimental, configuration)
    if not planned.contents:
        return _receipt({"id": "", "state": "nothing to do", "about": _about(told)}, str(root))
    changes = [
        {
            "kind": "file",
            "path": f"/{edit.path}",
            "content": base64.b64encode(planned.contents[edit.path]).decode(),
            "expects": edit.sha256_before,
            "why": ", ".join(told.gives_up),
        }
        for edit in planned.files
    ]
    try:
        return _receipt(_transactions(root, planned.contents).apply(changes, _about(told)), str(root))
    except Failure as failure:
        raise as_error(failure, root, HOME) from failure


def undo(tree: str, receipt: str | None = None) -> BspReceipt:
    """Take a patch back to the byte: the last one, or that of an id. One that was interrupted counts as the last.

    Raises:
        Drift: somebody changed one of the files since; nothing was done.
        ApplyError: there is no such patch, or it is undone already.
        UndoFailed: something is left; undo goes on from there.
    """
    root = find_root(tree)
    found = _recovered(root)
    transactions = _transactions(root)
    try:
        if found and receipt in (None, *found):
            return _receipt(transactions.receipt(transactions.journal.find(found[-1])), str(root))
        return _receipt(transactions.undo(receipt), str(root))
    except Failure as failure:
        raise as_error(told_of_blobs(failure, root, transactions), root, HOME) from failure


def diff(tree: str) -> BspDiff:
    """What differs in a tree from before memfit, and whether somebody changed it since; only reads.

    Raises:
        UsageError: it is no BSP tree.
        UndoFailed: the journal is damaged.
    """
    root = find_root(tree)
    transactions = _transactions(root)
    try:
        entries = transactions.journal.entries()
        applied = [entry for entry in entries if entry.state == "applied"]
        receipts = tuple(_receipt(transactions.receipt(entry), str(root)) for entry in applied)
        files, drift = changed(root, transactions, applied)
    except Failure as failure:
        raise as_error(failure, root, HOME) from failure
    return BspDiff(tree=str(root), receipts=receipts, files=files, drift=drift, interrupted=_half_way(entries))


def _planned(
    tree: str, board: str, needs: tuple[str, ...], style: str, experimental: bool, configuration: str | None
) -> tuple[Patch, Planned, Path]:
    if style not in STYLES:
        raise UnknownName("style", style, STYLES)
    chosen_style: Style = "edit" if style == "edit" else "override"
    layout = find_layout(tree, board, configuration)
    half = _interrupted(layout.root)
    if half:
        raise ApplyError(f"{layout.root}: {half[0]} was interrupted half-way", hint=f"memfit bsp undo {tree}")
    trees = Trees.of(layout)
    recipes, left = choose(trees, needs, experimental=experimental)
    planned = plan(trees, recipes, chosen_style)
    told = Patch(
        tree=str(layout.root),
        board=layout.board.name,
        module=layout.board.module,
        style=chosen_style,
        release=layout.release,
        needs=needs,
        gives_up=tuple(recipe.name for recipe in recipes),
        left=left,
        steps=planned.steps,
        files=planned.files,
        reclaimed=planned.reclaimed,
        reclaimed_bytes=planned.reclaimed_bytes,
        flash=_flash(layout.board.flash, configuration),
        cautions=(*layout.notes, *_cautions(recipes, layout.board.family, layout.release)),
    )
    return told, planned, layout.root


def _flash(command: str, configuration: str | None) -> str:
    """The board's command, with another configuration's name where one was asked for."""
    if configuration is None:
        return command
    for name in ("jetson-orin-nano-devkit", "jetson-agx-orin-devkit"):
        command = command.replace(name, configuration.removesuffix(".conf"))
    return command


def _cautions(recipes: Sequence[Recipe], family: str, release: str | None) -> tuple[str, ...]:
    cautions = dict.fromkeys(recipe.caution for recipe in recipes if recipe.caution)
    told = [
        f"{', '.join(recipe.name for recipe in recipes if recipe.caution == caution)}: {caution}"
        for caution in cautions
    ]
    new = [recipe.name for recipe in recipes if recipe.is_experimental(family) and recipe.published_for]
    if new:
        told.append(f"{', '.join(new)}: published for {', '.join(recipes[0].published_for) or 'p3767'} modules alone")
    if any(recipe.kernel for recipe in recipes):
        told.append(_JOINED)
    if release is not None and not release.startswith(_VERIFIED):
        told.append(f"this is Jetson Linux {release}; memfit was tried on the layout of {_VERIFIED}: the nodes match")
    return (*told, *_CAUTIONS) if recipes else ()


def _transactions(root: Path, contents: Iterable[str] = ()) -> Transactions:
    """The journal of a tree; nothing but these files may be changed."""
    allowed = {f"/{file}" for file in contents}

    def policy(change: dict[str, Any], _: object) -> None:
        if change["kind"] != "file" or change["path"] not in allowed:
            raise Failure("refused", f"{change.get('path')} is no file of this patch")

    return Transactions(Tree(str(root)), Image(), _IDENTITY, policy=policy, home=HOME)


def _recovered(root: Path) -> list[str]:
    """Patches that were found half-way and were taken back now."""
    transactions = _transactions(root)
    try:
        if not transactions.journal.entries():
            return []
        with transactions.journal.lock():
            return transactions.recover()
    except Failure as failure:
        raise as_error(failure, root, HOME) from failure


def _interrupted(root: Path) -> tuple[str, ...]:
    """Patches that were found half-way; nothing is done about them."""
    try:
        return _half_way(_transactions(root).journal.entries())
    except Failure as failure:
        raise as_error(failure, root, HOME) from failure


def _half_way(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(entry.id for entry in entries if entry.state in ("open", "undoing"))


def _about(told: Patch) -> dict[str, Any]:
    """What is kept beside the journal's steps."""
    names = ("board", "style", "gives_up", "left", "reclaimed", "reclaimed_bytes", "flash", "cautions")
    found: dict[str, Any] = msgspec.to_builtins(told)
    return {name: found[name] for name in names}


def _receipt(told: dict[str, Any], tree: str) -> BspReceipt:
    about, made = told["about"], told.get("made")
    return BspReceipt(
        id=told["id"] or "",
        state=told["state"],
        tree=tree,
        board=about.get("board", ""),
        style=about.get("style", ""),
        made="" if made is None else datetime.fromtimestamp(made, timezone.utc).isoformat(timespec="seconds"),
        gives_up=tuple(about.get("gives_up", ())),
        left=tuple((name, why) for name, why in about.get("left", ())),
        files=tuple(
            (step["path"].lstrip("/"), step["before"]["sha256"], step["after"]["sha256"])
            for step in told.get("steps", ())
        ),
        reclaimed=tuple(msgspec.convert(about.get("reclaimed", ()), tuple[Reclaimed, ...])),
        reclaimed_bytes=about.get("reclaimed_bytes", 0),
        flash=about.get("flash", ""),
        cautions=tuple(about.get("cautions", ())),
    )
