"""The JSON schema of a record that --json prints."""

from __future__ import annotations

import json

import click

from memfit.cli._completion import records

_HELP = """The JSON schema of a record that --json prints.

\b
  memfit schema                 the records there are
  memfit schema footprint       the schema of one"""


@click.command("schema", help=_HELP)
@click.argument("record", required=False, shell_complete=records)
def COMMAND(record: str | None) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.render import record_names, schema

    if record is None:
        click.echo("\n".join(record_names()))
    else:
        click.echo(json.dumps(schema(record), indent=2))
