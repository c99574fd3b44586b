"""Signals that ask memfit to end while a run is under way: the run is ended first, and its record kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = {
    signal.SIGINT: "it was interrupted (Ctrl-C)",
    signal.SIGTERM: "memfit was told to end (SIGTERM)",
    signal.SIGHUP: "the terminal was closed (SIGHUP)",
}


class Interrupted(BaseException):
    """One of the signals came; the message says which. Like ``KeyboardInterrupt``, no failure to be handled."""


class Listening:
    """Whether a signal interrupts now; ``calm`` lets what cleans up finish."""

    def __init__(self) -> None:
        self._calm = False

    def calm(self) -> None:
        """From now on signals are heard and nothing is interrupted."""
        self._calm = True

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """The handler."""
        if not self._calm:
            self._calm = True
            raise Interrupted(_WORDS[signal.Signals(number)])


@contextmanager
def interruptible() -> Iterator[Listening]:
    """Turn the signals into ``Interrupted`` while this lasts.

    One that is ignored stays so: ``nohup`` means it. Only the main thread hears signals; in any other nothing changes.
    """
    listening = Listening()
    if threading.current_thread() is not threading.main_thread():
        yield listening
        return
    before = {number: signal.getsignal(number) for number in _ASKING}
    heard = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in heard:
        signal.signal(number, listening.hear)
    try:
        yield listening
    finally:
        for number in heard:
            signal.signal(number, before[number])
