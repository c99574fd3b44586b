"""A completion script for your shell."""

from __future__ import annotations

import click

_HELP = """A completion script for your shell.

\b
  eval "$(memfit completion bash)"        in ~/.bashrc
  eval "$(memfit completion zsh)"         in ~/.zshrc
  memfit completion fish | source         in ~/.config/fish/config.fish"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def COMMAND(shell: str) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from click.shell_completion import get_completion_class

    from memfit.cli._group import command_line

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(command_line, {}, "memfit", "_MEMFIT_COMPLETE").source())
