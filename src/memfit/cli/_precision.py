"""What the verbs about precision share: their options, and one line that says how far they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from memfit.cli._completion import paths
from memfit.cli._types import TOKENS
from memfit.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])
Said = Callable[[str, int, int], None]

_WIDTH = 78


class KvFormats(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """``q8_0`` for both, ``q8_0/q4_0`` for K and V.

    Args:
        may_choose: ``auto`` is a value too, and becomes None.
    """

    name = "formats"

    def __init__(self, *, may_choose: bool) -> None:
        self._may_choose = may_choose

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str] | None:
        """Text to two formats."""
        if isinstance(value, tuple):
            return value
        if self._may_choose and value == "auto":
            return None
        from memfit.precision.formats import FORMATS

        both = value.split("/")
        if len(both) > 2:
            raise UsageError(f"--kv {value!r} names {len(both)} formats", hint="one for both, or K/V: q8_0/q4_0")
        k, v = (FORMATS.get(one) for one in (both * 2)[:2])
        for format in (k, v):
            if not format.kv_cache:
                usable = ", ".join(one.name for one in FORMATS if one.kv_cache)
                raise UsageError(f"--kv {value!r}: llama.cpp keeps no cache in {format.name}", hint=f"one of {usable}")
        return k.name, v.name


def text_options(function: F) -> F:
    """Add ``--text``, ``--window`` and ``--threads``."""
    for option in (
        click.option("--threads", "--jobs", "threads", type=click.IntRange(1), metavar="N", help="CPU threads (all)."),
        click.option(
            "--window", "window_tokens", type=TOKENS, default=512, show_default=True, help="Tokens of a window of text."
        ),
        click.option(
            "--text",
            metavar="FILE",
            shell_complete=paths,
            help="Text like your users' own, or chats in JSON lines (a bundled sample).",
        ),
    ):
        function = option(function)
    return function


def kv_option(*, may_choose: bool = False) -> Callable[[F], F]:
    """Add ``--kv``; ``may_choose``: with ``auto``."""
    help = "Formats of the KV cache: one, or K/V" + ("; auto weighs them against the weights." if may_choose else ".")
    formats = KvFormats(may_choose=may_choose)
    return click.option("--kv", type=formats, default=("F16", "F16"), metavar="FORMATS", help=help)


class _Line:
    """One line on standard error; what is done of the present step, and the time that it has left."""

    def __init__(self) -> None:
        self._step = ""
        self._began = self._said = 0.0
        self._first = 0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._began, self._said, self._first = step, now, 0.0, done
        if now - self._said < 0.2 and done < total:
            return
        self._said = now
        rate = (done - self._first) / (now - self._began) if now > self._began else 0.0
        left = f", {(total - done) / rate:.0f} s left" if rate and done < total else ""
        click.echo(f"\r{f'{step}: {done / max(1, total):.0%}{left}':<{_WIDTH}}", nl=False, err=True)

    def end(self) -> None:
        """Wipe it."""
        if self._step:
            click.echo("\r" + " " * _WIDTH + "\r", nl=False, err=True)


@contextmanager
def saying() -> Iterator[Said]:
    """A line while the block runs; silence where nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    line = _Line()
    try:
        yield line
    finally:
        line.end()
