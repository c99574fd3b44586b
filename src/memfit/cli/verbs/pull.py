"""A model brought here from a hub, a server or a mirror: resumed where it broke, checked, complete or not there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memfit.cli._output import Outputs, output_options, show
from memfit.cli._progress import Progress, progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from memfit.remote.download import Wanted

_HELP = """A model brought here: resumed where it broke, checked, complete or not there.

\b
  memfit pull hf://bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf
  memfit pull hf://Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf --to /opt/models
  memfit pull hf://Qwen/Qwen3-4B                      a checkpoint, into a folder of its own
  memfit pull https://host/model.gguf --sha256 3b1f…
  memfit pull hf://org/repo/model.gguf --mirror /mnt/models

What breaks leaves NAME.part, and the same command goes on from there. Space for all of it is looked for first. The
checksum is the hub's own; of a server that publishes none, --sha256 gives it.

HF_TOKEN, or `hf auth login`, opens gated repositories; HF_ENDPOINT names a mirror of the hub."""


@click.command("pull", help=_HELP)
@click.argument("model")
@click.option("--to", "folder", metavar="DIR", default=".", help="Where to; this folder.")
@click.option("--mirror", metavar="DIR", help="Copies of repositories on this machine: DIR/org/repo/file.")
@click.option("--sha256", metavar="HEX", help="What its only file must have.")
@click.option("--overwrite", is_flag=True, help="Replace another file of that name.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    import msgspec

    from memfit.model.pulling import wanted_files
    from memfit.remote.download import pull_all
    from memfit.remote.hub import hub_web

    outputs = Outputs.take(given)
    digest = _digest(given["sha256"])
    web = hub_web()
    mirror = Path(given["mirror"]) if given["mirror"] is not None else None
    files = wanted_files(given["model"], web, mirror=mirror)
    if digest:
        from memfit.errors import UsageError

        if len(files) > 1:
            raise UsageError(
                f"--sha256 is of one file, and {given['model']} has {len(files)}", hint="leave it out, or name one file"
            )
        files = tuple(msgspec.structs.replace(file, sha256=digest) for file in files)
    folder = Path(given["folder"])
    pulled = pull_all(
        given["model"],
        web,
        files,
        folder,
        progress=_line,
        waits=lambda words: click.echo(f"memfit: {words}", err=True),
        overwrite=given["overwrite"],
    )
    show(pulled, outputs)


def _line(wanted: Wanted) -> AbstractContextManager[Progress | None]:
    """Where nobody sees a line grow, one that says what is asked for."""
    from urllib.parse import urlsplit

    name = wanted.name.rpartition("/")[2]
    if wanted.url and not (sys.stderr is not None and sys.stderr.isatty()):
        click.echo(f"memfit: asking {urlsplit(wanted.url).netloc} for {name}", err=True)
    return progress(name)


def _digest(text: str | None) -> str:
    import re

    from memfit.errors import UsageError

    if text is None:
        return ""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise UsageError(f"--sha256 {text[:80]!r} is no checksum", hint="it has 64 hexadecimal digits")
    return text.lower()
