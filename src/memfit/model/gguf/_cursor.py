"""Bounded reading of a file's beginning: one small window in memory, every size checked against what is left.

Plain reads and no mmap: a file that shrinks or a card that fails while it is read gives an error, not SIGBUS.
"""

from __future__ import annotations

import os
from itertools import repeat
from struct import Struct, error
from typing import Any, NoReturn, Protocol

from memfit.errors import Malformed, ModelError, Truncated
from memfit.model.gguf._refusals import resume_hint
from memfit.model.gguf._values import ONE_U32, ONE_U64

WINDOW_BYTES = 1 << 19  # the whole header of most models in a few reads, and nothing to a small device
# A vocabulary of 262,144 tokens takes 10 MB. The bound keeps a sparse file that announces terabytes from costing time.
MOST_HEADER_BYTES = 256 << 20


class Remote(Protocol):
    """A file of which only parts are here: whoever reads says what is needed next."""

    def have(self, at: int, count: int, least: int) -> int:
        """Make ``count`` bytes from ``at`` be here, and say how many are; ``least`` will be needed in the end."""


class Cursor:
    """A position in the header of one file.

    Args:
        descriptor: the open file.
        file: its name, for messages.
        size_bytes: its size.
        remote: fetches what of it is not here; None for a whole file.

    Attributes:
        at: the next byte to read.
        reading: what lies here, for messages.
    """

    __slots__ = ("_base", "_descriptor", "_ends", "_remote", "_window", "at", "file", "reading", "size_bytes")

    def __init__(self, descriptor: int, file: str, size_bytes: int, remote: Remote | None = None) -> None:
        self._descriptor = descriptor
        self._remote = remote
        self._window = b""
        self._base = 0
        self._ends = 0
        self.at = 0
        self.file = file
        self.reading = "the preamble"
        self.size_bytes = size_bytes

    def expect(self, count: int) -> None:
        """At least ``count`` bytes of the header follow: a file that is fetched part by part is fetched so far."""
        self._ends = self.at + count

    def peek(self, count: int) -> bytes:
        """Up to ``count`` bytes from here, fewer where the file ends."""
        count = min(count, self.size_bytes - self.at)
        start = self._have(count)
        return self._window[start : start + count]

    def take(self, form: Struct) -> tuple[Any, ...]:
        """The values of ``form``.

        Raises:
            Truncated: the file ends before them.
        """
        start = self._have(form.size)
        self.at += form.size
        return form.unpack_from(self._window, start)

    def u32(self) -> int:
        """One u32."""
        value: int = self.take(ONE_U32)[0]
        return value

    def u64(self) -> int:
        """One u64, such as the length that precedes a string."""
        value: int = self.take(ONE_U64)[0]
        return value

    def raw(self, count: int) -> bytes:
        """The next ``count`` bytes; the caller bounds ``count``, as all of them are held in memory.

        Raises:
            Truncated: the file ends before.
        """
        start = self._have(count)
        self.at += count
        return self._window[start : start + count]

    def skip(self, count: int) -> None:
        """Passes over ``count`` bytes without reading them.

        Raises:
            Truncated: the file ends before.
            Malformed: they are more than any header has.
        """
        if count > self.size_bytes - self.at:
            self._beyond(self.at, self.at + count)
        self.at += count
        self._bound()

    def walk_strings(self, count: int) -> int:
        """Passes over ``count`` strings; returns the bytes of their text.

        Raises:
            Truncated, Malformed: as for a single string.
        """
        if count * 8 > self.size_bytes - self.at:  # each has at least its length
            self._beyond(self.at, self.at + count * 8)
        first = self.at
        left = count
        behind = max(self._ends - self.at, 0)
        seen = first, count
        length_at = ONE_U64.unpack_from
        while left:
            if self.at > self.size_bytes - 8:
                self._beyond(first, self.at + 8)
            self._bound()
            if self._remote is not None:
                self.expect(behind + left * _likely_length(self.at - seen[0], seen[1] - left))
                seen = self.at, left
            here = self._have(8)
            window = self._window
            steps = repeat(None, left)
            # The loop runs to the window's end and fails there: nothing is checked for each of 300,000 strings, and
            # yet no length, however large, leads it out of the window. Then the next window starts at that string.
            try:
                for _ in steps:
                    here += length_at(window, here)[0] + 8
                left = 0
            except (error, OverflowError):
                left = steps.__length_hint__() + 1
            self.at = self._base + here
        if self.at > self.size_bytes:
            self._beyond(first, self.at)
        self._bound()
        self.expect(behind)
        return self.at - first - 8 * count

    def _have(self, count: int) -> int:
        """Index in the window of the next ``count`` bytes, read if need be."""
        start = self.at - self._base
        if start >= 0 and start + count <= len(self._window):
            return start
        if self.at + count > self.size_bytes:
            self._beyond(self.at, self.at + count)
        self._bound()
        window_bytes = max(count, WINDOW_BYTES)
        if self._remote is not None:
            window_bytes = min(window_bytes, self._remote.have(self.at, count, max(self._ends - self.at, 0)))
        try:
            self._window = _read(self._descriptor, self.at, window_bytes)
        except OSError as failure:
            raise ModelError(
                f"cannot be read: {failure.strerror}",
                file=self.file,
                offset=self.at,
                hint="check the disk and the mount",
            ) from failure
        self._base = self.at
        if len(self._window) < count:  # it was larger when it was opened
            self._beyond(self.at, self.at + count)
        return 0

    def _bound(self) -> None:
        if self.at > MOST_HEADER_BYTES:
            self._oversized(self.at)

    def _beyond(self, start: int, end: int) -> NoReturn:
        """The bytes from ``start`` to ``end`` are announced and do not lie within the file."""
        if end > MOST_HEADER_BYTES:
            self._oversized(start)
        raise Truncated(
            f"{self.reading} goes on to byte {end} at least, the file ends at {self.size_bytes}",
            file=self.file,
            offset=start,
            hint=resume_hint(self.file),
        )

    def _oversized(self, offset: int) -> NoReturn:
        raise Malformed(
            f"{self.reading} goes on beyond {MOST_HEADER_BYTES} bytes, where no model's header reaches",
            file=self.file,
            offset=offset,
            hint="the file is damaged; download it again",
        )


def _likely_length(passed_bytes: int, passed: int) -> int:
    """Bytes of a string with its length: those passed last, as tokens and merges get longer towards their end."""
    return passed_bytes // passed if passed else 12


def _read(descriptor: int, offset: int, count: int) -> bytes:
    """Up to ``count`` bytes, fewer only at the file's end (a read may return less on a network file system)."""
    data = os.pread(descriptor, count, offset)
    while 0 < len(data) < count:
        more = os.pread(descriptor, count - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
