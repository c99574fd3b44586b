"""Where an answer goes: the terminal, JSON on standard output, or files for people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from memfit.cli._completion import paths
from memfit.cli._files import write_files
from memfit.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

_KINDS = ("html", "svg", "png", "markdown")
_PICTURES = ("svg", "png")
# `-` and what people write who do not know it: a link that must not be replaced, whatever it points to
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: JSON instead of the terminal, and files beside it."""

    json: bool = False
    files: tuple[tuple[str, str], ...] = ()

    @classmethod
    def take(cls, given: dict[str, Any]) -> Outputs:
        """Remove the output options from ``given``.

        Raises:
            UsageError: a file without a name, or two answers for one place.
        """
        json = bool(given.pop("as_json"))
        asked = [(kind, given.pop(f"{kind}_file")) for kind in _KINDS]
        files = tuple((kind, str(name)) for kind, name in asked if name is not None)
        places = ["-" if name in _STDOUT else name for _, name in files] + (["-"] if json else [])
        for kind, name in files:
            if not name:
                raise UsageError(f"--{kind} without a file name", hint=f"--{kind} FILE, or - for standard output")
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            where = "standard output" if twice == "-" else twice
            raise UsageError(f"several answers for {where}", hint="give each a file of its own")
        return cls(json=json, files=files)


def output_options(function: F) -> F:
    """Add ``--json``, ``--html``, ``--svg``, ``--png`` and ``--markdown`` to a command."""
    for option in (
        click.option(
            "--markdown",
            "markdown_file",
            metavar="FILE",
            shell_complete=paths,
            help="Also write the tables as Markdown (- for standard output).",
        ),
        click.option(
            "--png",
            "png_file",
            metavar="FILE",
            shell_complete=paths,
            help="Also write the picture (needs memfit[png]).",
        ),
        click.option("--svg", "svg_file", metavar="FILE", shell_complete=paths, help="Also write the picture."),
        click.option(
            "--html", "html_file", metavar="FILE", shell_complete=paths, help="Also write one self-contained page."
        ),
        click.option("--json", "as_json", is_flag=True, help="The record itself on standard output."),
    ):
        function = option(function)
    return function


def show(record: msgspec.Struct, outputs: Outputs, *, view: str | None = None) -> None:
    """Render a record to everything that was asked for.

    All of it is rendered before the first byte is written, so that what cannot be drawn leaves nothing behind; a file
    is written whole or not at all. With a FILE of ``-`` the terminal's table makes room for it.

    Raises:
        MemfitError: something cannot be drawn, or not be written.
    """
    from memfit.render import render

    files: list[tuple[str, str | bytes]] = []
    for kind, name in outputs.files:
        shown, seen = _pictured(record, view) if kind in _PICTURES else (record, view)
        files.append((name, render(shown, kind, view=seen)))
    instead = next((content for name, content in files if name in _STDOUT), None)
    if instead is None:
        instead = render(record, "json" if outputs.json else "terminal", view=view, stream=sys.stdout)
    write_files([(name, content) for name, content in files if name not in _STDOUT])
    if isinstance(instead, bytes):
        click.echo(instead, nl=False)
    else:
        click.echo(instead.rstrip("\n"), color=True)


def _pictured(record: msgspec.Struct, view: str | None) -> tuple[msgspec.Struct, str | None]:
    """What a picture is drawn of: the chosen view, else the record's default one, else that of its footprint."""
    from memfit.render import find_view

    footprint = getattr(record, "footprint", None)
    candidates = [(record, view), (record, None)] + ([] if footprint is None else [(footprint, None)])
    for shown, seen in candidates:
        if find_view(type(shown), seen).document(shown).pictures():
            return shown, seen
    return record, view  # the output says that there is none
