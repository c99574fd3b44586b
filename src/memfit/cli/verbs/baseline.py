"""What inference runtimes cost before any model, measured here."""

from __future__ import annotations

import sys
from typing import Any

import click

from memfit.cli._output import Outputs, output_options, show

_HELP = """What inference runtimes cost before any model, measured here.

Each runtime is brought up in processes of its own with the fewest objects that run anything, and no model; the PSS that
it adds to a bare interpreter, with mapped files whole as if nothing else ran, is shown beside the figures of a
document.

\b
  memfit baseline                               all that memfit knows of
  memfit baseline llama.cpp pytorch
  memfit baseline --python /opt/venv/bin/python where the runtimes are installed elsewhere
  memfit baseline --markdown baselines.md

Runtimes that are not installed, fail or hang have a row that says so; the exit code is 0."""


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from memfit.measure.baselines import RUNTIMES

    return [key for key, _ in RUNTIMES.items() if key.startswith(incomplete)]


@click.command("baseline", help=_HELP)
@click.argument("names", nargs=-1, metavar="[RUNTIME]…", shell_complete=_names)
@click.option("--python", metavar="FILE", help="The interpreter that has the runtimes.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="Processes for each runtime.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1.0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Most that one process may take.",
)
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.measure.baseline import measure_baselines

    outputs = Outputs.take(given)
    show(measure_baselines(given.pop("names"), seen=_seen if sys.stderr.isatty() else None, **given), outputs)


def _seen(name: str) -> None:
    click.echo(f"memfit: bringing up {name}", err=True)
