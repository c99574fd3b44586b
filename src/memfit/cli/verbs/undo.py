"""What apply changed, taken back to the byte: the last time, or that of a receipt."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._changing import place_options, take_place
from memfit.cli._output import Outputs, output_options, show

_HELP = """What apply changed, taken back to the byte: the last time, or that of a receipt.

\b
  sudo memfit undo                       the last one
  sudo memfit undo 0003-1f4c             that of memfit status
  memfit undo --host jetson --sudo
  memfit undo --root /mnt                from a rescue shell, where the disk is mounted

Where somebody changed one of the files since, or set another power mode by hand, nothing is done and the difference is
shown; with --keep-theirs that stays as it is, the rest is taken back, and the receipt says so."""


@click.command("undo", help=_HELP)
@click.argument("receipt", required=False)
@place_options
@click.option("--keep-theirs", is_flag=True, help="Leave what somebody changed since, and take back the rest.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.apply import undo

    outputs, place = Outputs.take(given), take_place(given)
    show(undo(place, place.called, given["receipt"], keep_theirs=given["keep_theirs"]), outputs)
