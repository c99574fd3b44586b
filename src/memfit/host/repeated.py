"""The same files of this machine, read again and again at little cost.

Opening a file of ``/proc`` costs many times what reading it again from its start does, and looking for names more
still. So files stay open and what was listed is remembered: for meters, which read a fixed set of files.
"""

from __future__ import annotations

import contextlib
import os

from memfit.errors import ProbeError
from memfit.host._problem import problem
from memfit.host.local import LocalHost
from memfit.host.records import Disk, Door, Host

MOST_OPEN = 256
"""Files kept open at once; a quarter of what a process may open by default."""

_PIECE_BYTES = 2048


class RepeatedFile:
    """One file, opened when it is first read.

    A file of a process that has ended fails from then on, also when another process has taken its number.
    """

    def __init__(self, path: str, host: Host) -> None:
        self.path = path
        self._host = host
        self._own = isinstance(host, LocalHost) and host.is_whole
        self._descriptor: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it takes one of the files that a process may have open."""
        return self._descriptor is not None

    def read(self, most: int = 1 << 14) -> bytes:
        """What it holds now, at most so many bytes.

        Raises:
            NeedsRoot: only root may read it.
            ProbeError: it is gone.
        """
        if not self._own:
            return self._host.read_bytes(self.path, most=most)
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            found = piece = os.pread(self._descriptor, most, 0)
            # the kernel hands out a table of /proc about a page at a time (fs/seq_file.c): a shorter piece is the last
            while len(piece) >= _PIECE_BYTES and len(found) < most:
                piece = os.pread(self._descriptor, most - len(found), len(found))
                found += piece
        except OSError as error:
            raise problem(self.path, error) from error
        return found

    def close(self) -> None:
        """Let go of it; it opens again when it is read."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):
                os.close(descriptor)


class RepeatedHost:
    """A host whose set of files does not change while it is watched: what was found once is not looked for again."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.name: str = host.name
        self.door: Door = host.door
        self.live: bool = host.live
        self._files: dict[str, RepeatedFile] = {}
        self._absent: dict[str, ProbeError] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """See ``Host.read_bytes``. A file that could not be read once is not tried again."""
        if path in self._absent:
            raise self._absent[path]
        file = self._files.get(path)
        if file is None:
            if len(self._files) >= MOST_OPEN:
                return self._host.read_bytes(path, most=most)
            file = self._files[path] = RepeatedFile(path, self._host)
        try:
            return file.read(most)
        except ProbeError as error:
            if not file.is_open:  # one that was open may be busy, as the sensor of an engine that is switched off
                self._absent[path] = error
                del self._files[path]
            raise

    def list_dir(self, path: str) -> tuple[str, ...]:
        """See ``Host.list_dir``."""
        return self._host.list_dir(path)

    def read_link(self, path: str) -> str:
        """See ``Host.read_link``."""
        return self._host.read_link(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``Host.glob``; looked for once."""
        if pattern not in self._found:
            self._found[pattern] = self._host.glob(pattern)
        return self._found[pattern]

    def disk(self, path: str) -> Disk:
        """See ``Host.disk``."""
        return self._host.disk(path)

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()
