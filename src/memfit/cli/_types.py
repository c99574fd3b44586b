"""Quantities on the command line."""

from __future__ import annotations

from typing import Any

import click

from memfit.units import parse_bytes, parse_tokens


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``7.4GiB``, ``512MiB``; an ambiguous ``8G`` is refused."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to bytes."""
        return value if isinstance(value, int) else parse_bytes(value)


class Tokens(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``8192`` or ``8k``."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to a count."""
        return value if isinstance(value, int) else parse_tokens(value)


class Mebibytes(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """llama.cpp's ``--cache-ram``: a plain number is MiB; sizes with a unit are taken as written."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to bytes."""
        if isinstance(value, int):
            return value
        return parse_bytes(value + "MiB" if value.strip().isdigit() else value)


SIZE = Size()
TOKENS = Tokens()
MEBIBYTES = Mebibytes()
