"""What must come to its end once it is begun."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """A closed terminal, Ctrl-C and a polite kill wait until things are whole; programs started here inherit none."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
    try:
        earlier = {number: signal.signal(number, lambda *_: None) for number in numbers}
    except ValueError:  # not the main thread: whoever runs it there has its own way
        yield
        return
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
