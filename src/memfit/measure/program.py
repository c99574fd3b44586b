"""A running engine's process: what it writes, whether it lives, how it ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from memfit.measure import family

_HEAD_BYTES = 512 * 1024  # of the log: a load tells its buffers there
_TAIL_BYTES = 16 * 1024
_MOST_LINE_BYTES = 4 * 1024**2
_PIECE_BYTES = 1 << 16
_REST_S = 5.0


class Flood(Exception):
    """A line without an end."""


class Said:
    """The beginning and the end of what a program printed; a log has no bound."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, piece: bytes) -> None:
        """What it printed now."""
        room = _HEAD_BYTES - len(self._head)
        self._head += piece[:room]
        self._tail += piece[max(0, room) :]
        del self._tail[:-_TAIL_BYTES]

    @property
    def text(self) -> str:
        """All that is kept."""
        return (self._head + self._tail).decode(errors="replace")

    @property
    def end(self) -> str:
        """The last of it."""
        return (self._head + self._tail)[-_TAIL_BYTES:].decode(errors="replace")


class Program:
    """A program in a session of its own, so that what a terminal sends does not reach it before memfit.

    Args:
        words: the program with its arguments.
        environment: all of its variables.
        talks: its standard output are lines for memfit, and its standard input is kept open; otherwise both streams
            are its log.
        prefix: words that put it somewhere before it runs.

    Raises:
        OSError: it cannot be started; of one that is not there that is said here, and not by what the prefix starts.
    """

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], *, talks: bool, prefix: Sequence[str] = ()
    ) -> None:
        if shutil.which(words[0], path=environment.get("PATH")) is None:
            raise OSError(f"{words[0]}: {'may not be run' if Path(words[0]).is_file() else 'not found'}")
        self.said = Said()
        self._talks = talks
        self._line = bytearray()
        self._process = subprocess.Popen(
            [*prefix, *words],
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        self.pid = self._process.pid
        self._pipes = selectors.DefaultSelector()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            self._pipes.register(pipe, selectors.EVENT_READ, talks and pipe is self._process.stdout)

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def tell(self, line: bytes) -> None:
        """Write to its input; one that has ended hears nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line)

    def hear(self, timeout_s: float) -> list[bytes]:
        """The lines it wrote, waiting for the first at most so long. The log is kept meanwhile.

        Raises:
            Flood: a line that does not end.
        """
        lines: list[bytes] = []
        for key, _ in self._pipes.select(timeout_s):
            try:
                piece = os.read(key.fd, _PIECE_BYTES)
            except BlockingIOError:
                continue
            if not piece:
                self._pipes.unregister(key.fileobj)
            elif key.data:
                lines += self._cut(piece)
            else:
                self.said.add(piece)
        if not self._pipes.get_map():  # both streams have ended: do not turn in circles until it has, too
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
        return lines

    def rest(self) -> list[bytes]:
        """What it wrote before it ended and nobody has heard yet; a line without an end is dropped."""
        lines: list[bytes] = []
        deadline = time.monotonic() + _REST_S
        # a descendant may hold the streams open for ever
        while self._pipes.get_map() and self._pipes.select(0) and time.monotonic() < deadline:
            with contextlib.suppress(Flood):
                lines += self.hear(0)
        return lines

    def end(self, patience_s: float) -> int | None:
        """Close its input and wait so long for it to end by itself."""
        if self._talks:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        deadline = time.monotonic() + patience_s
        while self.code is None and time.monotonic() < deadline:
            self.hear(0.05)
        return self.code

    def kill(self) -> bool:
        """End it with all its descendants, now; also those that outlived it. False where it may not be ended (sudo)."""
        family.kill(self.pid)
        try:
            self._process.wait(_REST_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Let go of its streams."""
        self._pipes.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _cut(self, piece: bytes) -> list[bytes]:
        self._line += piece
        *lines, rest = bytes(self._line).split(b"\n")
        self._line = bytearray(rest)
        if len(self._line) > _MOST_LINE_BYTES:
            self._line.clear()
            raise Flood
        return lines
