"""One line on standard error that tells how far long work is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


class Progress:
    """Shown once the work takes longer than a second, and wiped at its end.

    Args:
        name: before the figures, such as the file's name.
    """

    def __init__(self, name: str = "", say: Callable[..., None] = click.echo) -> None:
        self._name = f"{name}: " if name else ""
        self._say = say
        self._began = self._said = time.monotonic()
        self._first = None if name else 0
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """So many bytes of ``total`` are done; 0 where nobody knows the total."""
        now = time.monotonic()
        if self._first is None:  # what was there when it began took no time
            self._first = done
        if now - self._began < 1 or now - self._said < 0.2:
            return
        self._said, self._shown = now, True
        rate = (done - self._first) / (now - self._began)
        if total:
            left = (total - done) / rate if rate else 0
            line = f"{done / total:4.0%} of {total / 2**20:.0f} MiB, {rate / 2**20:.0f} MiB/s, {left:.0f} s left"
        else:
            line = f"{done / 2**20:.0f} MiB, {rate / 2**20:.0f} MiB/s"
        self._say(f"\r{self._name + line:<78}", nl=False, err=True)

    def end(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._say("\r" + " " * 78 + "\r", nl=False, err=True)


@contextmanager
def progress(name: str = "") -> Iterator[Progress | None]:
    """A line while the block runs; None where nobody looks."""
    line = Progress(name) if sys.stderr is not None and sys.stderr.isatty() else None
    try:
        yield line
    finally:
        if line is not None:
            line.end()
