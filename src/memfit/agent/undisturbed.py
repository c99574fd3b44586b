"""What must come to its end once it is begun."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what Python 3.8 cannot evaluate
    from collections.abc import Callable, Iterator, Sequence


@contextmanager
def undisturbed() -> Iterator[None]:
    """A closed terminal, Ctrl-C and a polite kill wait until things are whole; programs started here inherit none."""
    with handled((signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE), lambda *_: None):
        yield


@contextmanager
def handled(numbers: Sequence[signal.Signals], handler: Callable[..., Any]) -> Iterator[None]:
    """Signals by another handler for a while; in another thread than the main one, whoever runs it has its own way."""
    try:
        earlier = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        for number, before in earlier.items():
            signal.signal(number, before)
