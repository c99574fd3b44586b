"""What is told of a BSP tree: its carveouts, what a patch changes and proves, and what was patched."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["yes", "experimental", "needed", "no", "gone"]
"""Whether a carveout can go: by a published recipe, by one that nobody booted, or not, because something that was named
needs it or because nothing gives it up; or it is gone already."""
Style = Literal["override", "edit"]
"""``override`` writes behind the board's own files, ``edit`` changes the lines that the published notes change."""
STYLES: tuple[Style, ...] = ("override", "edit")


class CarveoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A carveout of the compiled boot configuration.

    Attributes:
        name: without ``CARVEOUT_``. aliases: other names of the same number.
        bytes: None where the tree does not say it in a way that memfit reads.
        purpose: what it is for. stays: why it stays; empty where it can go.
        recipe: what gives it up, if anything. need: the word of ``--needs`` that keeps it.
    """

    name: str
    aliases: tuple[str, ...] = ()
    bytes: int | None = None
    purpose: str = ""
    stays: str = ""
    recipe: str = ""
    need: str = ""
    can_go: Verdict = "no"


class BspAudit(msgspec.Struct, frozen=True, kw_only=True):
    """Every carveout of a board in a BSP tree.

    Attributes:
        files: of the tree, from its top: MB1's and MB2's configuration and the kernel's device trees.
        configuration: the one that was asked for, empty for the developer kit.
        sum_bytes: of all carveouts. kept_bytes: without what Linux gets after all (RCM_BLOB, TEMP_MB2_IO_BUFFERS): it
            is what a boot log shows as missing, to 3 MiB.
        published_bytes, experimental_bytes: what recipes would give back.
        half_done: recipes whose memory is given up while something still relies on it, with what that is.
    """

    tree: str
    board: str
    module: str
    release: str | None = None
    files: tuple[str, ...] = ()
    carveouts: tuple[CarveoutRow, ...] = ()
    sum_bytes: int = 0
    kept_bytes: int = 0
    published_bytes: int = 0
    experimental_bytes: int = 0
    configuration: str = ""
    half_done: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    schema_version: int = 1


class BspStep(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that have to be so.

    Attributes:
        target: a node by its path, ``/misc/carveout/aux_info@CARVEOUT_DCE``.
        does: in words. file: the one that says so then.
        done: it was so already. published: the notes have this step.
    """

    recipe: str
    target: str
    does: str
    file: str
    done: bool = False
    published: bool = True


class Reclaimed(msgspec.Struct, frozen=True, kw_only=True):
    """A carveout's size in the compiled tree before and after."""

    name: str
    recipe: str
    before_bytes: int
    after_bytes: int


class FileEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the tree with what changes in it.

    Attributes:
        text: a unified difference; of a device tree blob, its properties.
        also_included_by: other files of the tree that this one reaches.
    """

    path: str
    text: str
    sha256_before: str
    sha256_after: str
    also_included_by: tuple[str, ...] = ()


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """What a patch changes, and what that gives in the compiled trees.

    Attributes:
        gives_up: recipes that are applied. left: those that are not, with the reason.
        reclaimed_bytes: sum over the compiled trees before less after.
        flash: the command that brings it onto a board; memfit never runs it.
        cautions: what nobody has shown yet, and what to have ready before a flash.
    """

    tree: str
    board: str
    module: str
    style: Style
    release: str | None = None
    needs: tuple[str, ...] = ()
    gives_up: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    steps: tuple[BspStep, ...] = ()
    files: tuple[FileEdit, ...] = ()
    reclaimed: tuple[Reclaimed, ...] = ()
    reclaimed_bytes: int = 0
    flash: str = ""
    cautions: tuple[str, ...] = ()
    schema_version: int = 1


GONE_ALREADY = "is needed, but was given up already: memfit bsp undo"
"""Why a needed use is left alone that an earlier patch, or somebody, gave up."""


class BspReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was made or taken back.

    Attributes:
        state: ``applied``, ``undone``, ``nothing to do``; ``open`` and ``undoing`` were interrupted.
        left: what was not given up, with the reason; what is needed and gone already is in it.
        files: what was written, by path, with the SHA-256 before and after.
    """

    id: str
    state: str
    tree: str
    board: str = ""
    style: str = ""
    made: str = ""
    gives_up: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()
    reclaimed: tuple[Reclaimed, ...] = ()
    reclaimed_bytes: int = 0
    flash: str = ""
    cautions: tuple[str, ...] = ()
    schema_version: int = 1


class BspDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs in a tree from before memfit.

    Attributes:
        receipts: patches that are applied, the oldest first.
        drift: what somebody changed since. interrupted: patches that were begun and not ended.
    """

    tree: str
    receipts: tuple[BspReceipt, ...] = ()
    files: tuple[FileEdit, ...] = ()
    drift: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()
    schema_version: int = 1
