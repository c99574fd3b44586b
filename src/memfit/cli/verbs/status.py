"""What memfit has changed on a machine, what that gave, and whether somebody changed it since."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._changing import place_options, take_place
from memfit.cli._output import Outputs, output_options, show

_HELP = """What memfit has changed on a machine, what that gave, and whether somebody changed it since.

\b
  sudo memfit status
  memfit status --host jetson --sudo
  sudo memfit status --recover           take back what was interrupted half-way
  memfit status --json | jq '.receipts[].id'"""


@click.command("status", help=_HELP)
@place_options
@click.option("--recover", is_flag=True, help="Take back what was interrupted half-way.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.apply import status

    outputs, place = Outputs.take(given), take_place(given)
    show(status(place, place.called, recover=given["recover"]), outputs)
