"""Quantities on the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import click

from memfit.errors import UnitError
from memfit.units import MIB, parse_bytes, parse_seconds, parse_tokens

T = TypeVar("T", int, float)


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``7.4GiB``, ``512MiB``; an ambiguous ``8G`` is refused."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to bytes."""
        return value if isinstance(value, int) else _named(param, _sensible_bytes, value)


class Tokens(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``8192`` or ``8k``."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to a count."""
        return value if isinstance(value, int) else _named(param, parse_tokens, value)


class Mebibytes(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """llama.cpp's ``--cache-ram``: a plain number is MiB, -1 no limit; sizes with a unit are taken as written."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to bytes."""
        if isinstance(value, int):
            return value
        if value.strip() == "-1":
            return -1
        return _named(param, parse_bytes, value + "MiB" if value.strip().isdigit() else value)


class Seconds(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``90s``, ``10m``, ``1.5h``; a plain number is seconds.

    Args:
        least_s: anything shorter is refused.
    """

    name = "time"

    def __init__(self, least_s: float = 0.0) -> None:
        self._least_s = least_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Text to seconds."""
        return value if isinstance(value, float) else _named(param, self._parsed, str(value))

    def _parsed(self, text: str) -> float:
        seconds = parse_seconds(text)
        if seconds < self._least_s:
            raise UnitError(f"{text} is too short", hint=f"give {self._least_s:g} s at least")
        return seconds


class Amount(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """A number above zero, and a finite one."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Text to a number."""
        return value if isinstance(value, float) else _named(param, _amount, str(value))


def _amount(text: str) -> float:
    with suppress(ValueError):
        found = float(text)
        if 0 < found < math.inf:
            return found
    raise UnitError(f"not a number above zero: {text!r}", hint="write it like 5 or 2.5")


def _sensible_bytes(text: str) -> int:
    """Bytes; a plain number below a MiB is a size whose unit was forgotten: no model runs in it."""
    size = parse_bytes(text)
    if text.strip().isdigit() and 0 < size < MIB:
        number = text.strip()
        raise UnitError(f"{number} bytes is no memory to run in", hint=f"give a unit, as in {number}GiB or {number}MiB")
    return size


def _named(param: click.Parameter | None, parse: Callable[[str], T], text: str) -> T:
    """What ``parse`` makes of the text; its complaint names the option."""
    try:
        return parse(text)
    except UnitError as error:
        if param is None or not param.opts:
            raise
        raise UnitError(f"{param.opts[-1]}: {error.message}", hint=error.hint) from None


SIZE = Size()
TOKENS = Tokens()
MEBIBYTES = Mebibytes()
SECONDS = Seconds()
AMOUNT = Amount()
PATIENCE = Seconds(least_s=1.0)  # less, and whatever runs seems to hang
