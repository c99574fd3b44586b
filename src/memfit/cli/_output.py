"""Where an answer goes: the terminal, JSON on standard output, or files for people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: JSON instead of the terminal, and files beside it."""

    json: bool = False
    files: tuple[tuple[str, str], ...] = ()

    @classmethod
    def take(cls, given: dict[str, Any]) -> Outputs:
        """Remove the output options from ``given``."""
        json = bool(given.pop("as_json"))
        kinds = ("html", "svg", "png", "markdown")
        asked = ((kind, given.pop(f"{kind}_file")) for kind in kinds)
        return cls(json=json, files=tuple((kind, name) for kind, name in asked if name))


def output_options(function: F) -> F:
    """Add ``--json``, ``--html``, ``--svg``, ``--png`` and ``--markdown`` to a command."""
    for option in (
        click.option("--markdown", "markdown_file", metavar="FILE", help="Also write the tables as Markdown."),
        click.option("--png", "png_file", metavar="FILE", help="Also write the picture (needs memfit[png])."),
        click.option("--svg", "svg_file", metavar="FILE", help="Also write the picture."),
        click.option("--html", "html_file", metavar="FILE", help="Also write one self-contained page."),
        click.option("--json", "as_json", is_flag=True, help="The record itself on standard output."),
    ):
        function = option(function)
    return function


def show(record: msgspec.Struct, outputs: Outputs, *, view: str | None = None) -> None:
    """Render a record to everything that was asked for; files are written whole or not at all."""
    from memfit.render import render

    for kind, name in outputs.files:
        _write(Path(name), render(record, kind, view=view))
    text = render(record, "json" if outputs.json else "terminal", view=view, stream=sys.stdout)
    assert isinstance(text, str)
    click.echo(text.rstrip("\n"), color=True)


def _write(path: Path, content: str | bytes) -> None:
    import os

    from memfit.errors import MemfitError

    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise MemfitError(f"cannot write {path}: {error.strerror}", hint="choose another place") from error
