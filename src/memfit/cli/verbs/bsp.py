"""What only a reflash gives back: carveouts of a Linux_for_Tegra tree, patched with proof, undone to the byte."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._changing import agree, needs_of, show_before
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError

_HELP = """What only a reflash gives back: carveouts of a Linux_for_Tegra tree, patched with proof, undone to the byte.

\b
  memfit bsp audit TREE --board p3767-0003                   what takes how much, what can go
  memfit bsp patch TREE --board p3767-0003 --needs none --dry-run
  memfit bsp patch TREE --board p3767-0003 --needs camera    no display
  memfit bsp diff TREE                                       what was changed
  memfit bsp undo TREE

\b
TREE is the Linux_for_Tegra folder. Nothing is flashed: memfit prints the command. cpp and dtc compile
the tree before and after, and what is said to be won is the difference:
sudo apt-get install cpp device-tree-compiler."""

_PATCH_HELP = """Give carveouts up that the product does not need, in every place that belongs to it, all or nothing.

\b
  memfit bsp patch TREE --board p3767-0003 --needs none --dry-run
  memfit bsp patch TREE --board p3767-0003 --needs display        no camera
  memfit bsp patch TREE --board p3701-0005 --needs display,camera --experimental
  memfit bsp patch TREE --board p3767-0000 --needs none --conf my-carrier

\b
--style override, the default, ends the board's own files with a block that deletes and sets nodes.
--style edit changes the lines that NVIDIA's notes change, in files that other boards include.
Both compile to the same tree."""

# the option given twice keeps what both say
_SEVERAL: Any = {"multiple": True, "callback": lambda context, option, values: ",".join(values) if values else None}
_DIFF_HELP = """What differs in the tree from before memfit; with --board and --needs, what a patch would change.

\b
  memfit bsp diff TREE
  memfit bsp diff TREE --board p3767-0003 --needs none --style edit"""

_UNDO_HELP = """A patch taken back to the byte: the last one, or that of a receipt.

\b
  memfit bsp undo TREE
  memfit bsp undo TREE 0002-1f4c

Where somebody changed one of the files since, nothing is done and the difference is shown."""

_CONF = click.option("--conf", "configuration", metavar="NAME", help="The carrier's .conf, if not the developer kit's.")
_STYLE = click.option("--style", default="override", metavar="STYLE", help="override (the default) or edit.")
_EXPERIMENTAL = click.option("--experimental", is_flag=True, help="Also what nobody has published a boot of.")


@click.group("bsp", help=_HELP)
def COMMAND() -> None:  # noqa: N802  the catalog's constant
    """Only subcommands do something."""


@COMMAND.command("audit", short_help="Every carveout: how large, what for, whether it can go.")
@click.argument("tree")
@click.option("--board", required=True, metavar="MODULE", help="p3767-0003, p3701-0005 and others.")
@click.option("--needs", **_SEVERAL, metavar="LIST", help="What the product uses: display,camera,…")
@_CONF
@output_options
def _audit(tree: str, board: str, needs: str | None, configuration: str | None, **given: Any) -> None:
    """Every carveout of the compiled boot configuration: how large, what for, and whether it can go. It only reads."""
    from memfit.bsp import audit_tree

    outputs = Outputs.take(given)
    show(audit_tree(tree, board, _needs(needs or "none"), configuration), outputs)


@COMMAND.command("patch", help=_PATCH_HELP, short_help="Give carveouts up, all or nothing.")
@click.argument("tree")
@click.option("--board", required=True, metavar="MODULE", help="p3767-0003, p3701-0005 and others.")
@click.option(
    "--needs", required=True, **_SEVERAL, metavar="LIST", help="What the product uses: display,camera,… or none."
)
@_STYLE
@_EXPERIMENTAL
@_CONF
@click.option("--dry-run", is_flag=True, help="Show every step and line, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def _patch(tree: str, board: str, **given: Any) -> None:
    from memfit.bsp import patch, plan_patch

    outputs, dry_run, yes = Outputs.take(given), given.pop("dry_run"), given.pop("yes")
    given["needs"] = _needs(given["needs"])
    if dry_run or not yes:
        planned = plan_patch(tree, board, **given)
        if dry_run or not planned.files:
            show(planned, outputs)
            return
        show_before(planned)
        agree("change these files?", yes=False)
    show(patch(tree, board, **given), outputs)


@COMMAND.command("diff", help=_DIFF_HELP, short_help="What was changed.")
@click.argument("tree")
@click.option("--board", metavar="MODULE", help="With --needs: p3767-0003, p3701-0005 and others.")
@click.option("--needs", **_SEVERAL, metavar="LIST", help="With --board: what the product uses.")
@_STYLE
@_EXPERIMENTAL
@_CONF
@output_options
def _diff(tree: str, board: str | None, needs: str | None, **given: Any) -> None:
    from memfit.bsp import diff, plan_patch

    outputs = Outputs.take(given)
    if needs is None:
        _known(board)
        show(diff(tree), outputs)
    elif board is None:
        raise UsageError("--needs without --board", hint="--board p3767-0003, or another module")
    else:
        show(plan_patch(tree, board, _needs(needs), **given), outputs)


@COMMAND.command("undo", help=_UNDO_HELP, short_help="A patch taken back to the byte.")
@click.argument("tree")
@click.argument("receipt", required=False)
@click.option("--board", metavar="MODULE", help="Not needed: the journal knows.")
@click.option("--needs", **_SEVERAL, metavar="LIST", help="Not needed: the journal knows.")
@click.option("--dry-run", is_flag=True, help="Show what was changed, and write nothing.")
@output_options
def _undo(tree: str, receipt: str | None, board: str | None, needs: str | None, dry_run: bool, **given: Any) -> None:
    from memfit.bsp import diff, undo

    outputs = Outputs.take(given)
    _known(board)
    _needs(needs or "none")
    show(diff(tree) if dry_run else undo(tree, receipt), outputs)


def _needs(text: str) -> tuple[str, ...]:
    """Words of ``--needs``; ``none`` is none."""
    return () if text.strip().lower() in ("none", "") else needs_of([text])


def _known(board: str | None) -> None:
    """Raise UnknownName for a module that is none."""
    from memfit.bsp import BSP_BOARDS

    if board is not None:
        BSP_BOARDS.get(board)
