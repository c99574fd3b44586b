"""The runs that were kept: list, show, compare and export them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from memfit.cli._files import write_files
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memfit.measure.store import Store

_HELP = """The runs that were kept: list, show, compare and export them.

\b
  memfit runs                           the last 20, newest first
  memfit runs --last 0 --json           all of them
  memfit runs show 7                    what run 7 held and met, over time
  memfit runs show last --html run.html
  memfit runs compare 7 9
  memfit runs export 7 9 --out runs.jsonl

Runs are kept by `memfit verify` and never changed. They lie in one file: $MEMFIT_STORE, or memfit/runs.sqlite in
$XDG_DATA_HOME (~/.local/share). A run that memfit did not survive is there, too: as interrupted, with the last that
was known of it."""

_SHOW_HELP = """One run: what ran, what it held, what it met, memory over time.

\b
  memfit runs show 7
  memfit runs show last                 the newest one
  memfit runs show 7 --details          further meters, and what the engine said
  memfit runs show 7 --json | jq .peak_pss_bytes"""

_COMPARE_HELP = """Two runs side by side: what was run differently, and what that changed.

\b
  memfit runs compare 7 9
  memfit runs compare 7 last --svg both.svg"""

_EXPORT_HELP = """Runs as JSON, one to a line: all of them, or those named.

\b
  memfit runs export --out runs.jsonl
  memfit runs export 7 last | jq .outcome

The lines are the records that `memfit schema observation` describes: with the machine's processor or board and its
kernel, and with the model's path; without host name and serial number."""


class _Subcommands(click.Group):
    """Names the nearest subcommand for one that is not known."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See ``click.Group``."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            if args[0].isdecimal() or args[0] == "last":
                raise UsageError(f"what about run {args[0]}?", hint=f"to see it: memfit runs show {args[0]}")
            raise UnknownName("subcommand of runs", args[0], self.commands)
        return super().resolve_command(ctx, args)


@click.group("runs", cls=_Subcommands, help=_HELP, invoke_without_command=True)
@click.option("--last", type=click.IntRange(0), default=20, metavar="N", help="Only so many; 0 for all. Default 20.")
@output_options
@click.pass_context
def COMMAND(context: click.Context, /, **given: Any) -> None:  # noqa: N802  the catalog's constant
    """List them, unless a subcommand does something else."""
    outputs = Outputs.take(given)
    last = given.pop("last")
    if context.invoked_subcommand is not None:
        stated = context.get_parameter_source("last") is not click.core.ParameterSource.DEFAULT
        if outputs.json or outputs.files or stated:
            raise UsageError(
                f"options of the list stand before {context.invoked_subcommand!r}",
                hint=f"write them behind it: memfit runs {context.invoked_subcommand} … --json",
            )
        return
    from memfit.measure.history import Runs

    store = _store()
    runs = Runs(store=str(store.path), items=store.summaries(last or None), count=store.count())
    show(runs, outputs)


@COMMAND.command("show", help=_SHOW_HELP, short_help="One run, with its memory over time.")
@click.argument("run")
@click.option("--details", is_flag=True, help="Further meters over time, and what the engine said.")
@output_options
def _show(run: str, details: bool, **given: Any) -> None:
    outputs = Outputs.take(given)
    store = _store()
    show(store.read(_number(store, run)), outputs, view="details" if details else None)


@COMMAND.command("compare", help=_COMPARE_HELP, short_help="Two runs side by side.")
@click.argument("first")
@click.argument("second")
@output_options
def _compare(first: str, second: str, **given: Any) -> None:
    from memfit.measure.history import compare_runs

    outputs = Outputs.take(given)
    store = _store()
    one, other = (store.read(_number(store, run)) for run in (first, second))
    show(compare_runs(one, other), outputs)


@COMMAND.command("export", help=_EXPORT_HELP, short_help="Runs as JSON, one to a line.")
@click.argument("runs", nargs=-1)
@click.option("--out", metavar="FILE", help="Write them to a file instead of standard output.")
@click.option("--json", "as_json", is_flag=True, hidden=True, help="They are JSON anyway.")
def _export(runs: tuple[str, ...], out: str | None, as_json: bool) -> None:
    store = _store()
    if out is not None and not out:
        raise UsageError("--out without a file name", hint="--out FILE, or leave it out for standard output")
    if out is None or out == "-":
        for line in _lines(store, runs):
            click.echo(line, nl=False)
        return
    write_files([(out, b"".join(_lines(store, runs)))])
    click.echo(f"{out}: {len(runs) or store.count()} runs", file=sys.stderr)


def _lines(store: Store, runs: tuple[str, ...]) -> Iterator[bytes]:
    import msgspec

    chosen = (store.read(_number(store, run)) for run in runs) if runs else store.all()
    return (msgspec.json.encode(observation) + b"\n" for observation in chosen)


def _store() -> Store:
    from memfit.measure.store import Store

    return Store()


def _number(store: Store, run: str) -> int:
    """What ``7`` or ``last`` names.

    Raises:
        UsageError: it is neither, or there is none yet.
    """
    if run == "last":
        newest = store.summaries(1)
        if not newest:
            raise UsageError(f"no runs in {store.path}", hint="memfit verify keeps one")
        return newest[0].id
    if not (run.isascii() and run.isdecimal()) or len(run) > 18:
        raise UsageError(f"{run!r} is no run", hint="give its number from `memfit runs`, or: last")
    return int(run)
