"""The lazy command tree: listing verbs reads one line of each file, and only the verb that runs is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from memfit import __version__
from memfit.cli._pipe import let_go_of_stdout
from memfit.errors import MemfitError, UnknownName

_READER_GONE = 141  # what a shell shows of a program that SIGPIPE ended
_VERBS = Path(__file__).parent / "verbs"

_HELP = """memfit tells what an AI model really takes on an edge device, before you load it.

\b
  memfit estimate model.gguf                          on this machine
  memfit estimate model.gguf -c 8192 --device orin-nano-8gb
  memfit estimate Llama-3.2-3B --format Q4_K_M --memory 4GiB
  memfit estimate -- llama-server -m model.gguf -c 8192 -ctk q8_0
  memfit estimate model.gguf --json | jq .required_bytes

\b
Exit codes: 0 fits or would page, 10 does not fit, 2 usage, 3 device,
4 model file, 5 changes, 6 engine. Every verb has --help with examples."""


class VerbGroup(click.Group):
    """A group whose commands are the public files of ``cli/verbs``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, by file name."""
        return sorted(path.stem for path in _VERBS.glob("*.py") if not path.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"memfit.cli.verbs.{cmd_name}").COMMAND
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader of our output that went away, as `head` does, is no failure to talk about.

        Click would answer it with exit code 1, which is that of an error.
        """
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            let_go_of_stdout()  # or it fails once more when the interpreter ends
            raise click.exceptions.Exit(_READER_GONE) from None
        return result

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verbs for one that is not known."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UnknownName("verb", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with the first line of their files."""
        rows = [(name, _first_line(_VERBS / f"{name}.py")) for name in self.list_commands(ctx)]
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"').rstrip(".")


@click.group(
    cls=VerbGroup, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="memfit")
def command_line() -> None:
    """The root of the command tree."""


def run(words: Sequence[str], **extra: Any) -> int:
    """Run one command line; returns the exit code. Every ``MemfitError`` ends here as one message with its hint."""
    given = list(words) or ["--help"]
    try:
        result = command_line.main(given, prog_name="memfit", standalone_mode=False, **extra)
    except MemfitError as error:
        return _complain(error.message, error.hint, error.exit_code, getattr(error, "diff", ""))
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        # the parser itself complains without a context
        path = context.command_path if context is not None else f"memfit {given[0]}"
        return _complain(error.format_message(), f"{path} --help shows how it is used", 2)
    except (KeyboardInterrupt, click.exceptions.Abort):
        return _complain("interrupted", None, 130)
    except OSError as error:
        # whoever reads a file says itself what is wrong with it: what is left is the answer that found no place
        let_go_of_stdout()
        where = "standard output" if error.filename is None else str(error.filename)
        return _complain(f"cannot write {where}: {error.strerror or error}", "free some space, or write elsewhere", 1)
    return result if isinstance(result, int) else 0


def _complain(message: str, hint: str | None, code: int, diff: str = "") -> int:
    from memfit.render.untrusted import clean, whole  # names in messages come from files

    with suppress(OSError):  # nowhere is left to say it: the exit code does
        click.echo(f"memfit: {clean(message)}", err=True)
        for line in diff.splitlines():
            click.echo(f"  {whole(line)}", err=True)
        if hint:
            click.echo(f"  hint: {clean(hint)}", err=True)
    return code
