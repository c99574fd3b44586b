"""This machine."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path

from memfit.host._inside import Inside
from memfit.host._problem import problem
from memfit.host._rules import NOT_A_FILE, never_read, open_to_read, read_up_to
from memfit.host.records import Disk, Door


class LocalHost:
    """The machine memfit runs on.

    ``root`` may name another folder to read as if it were ``/``, with all that lies there, a ``proc`` folder too; links
    are followed within it.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._inside = None if root == Path("/") else Inside(root)
        self.name = os.uname().nodename
        self.door: Door = "local"
        self.live = True

    @property
    def is_whole(self) -> bool:
        """Whether it is the machine itself and not a folder read as one."""
        return self._inside is None

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """See ``Host.read_bytes``."""
        try:
            return _read(_absolute(path), most) if self._inside is None else self._inside.read_bytes(path, most)
        except OSError as error:
            raise problem(path, error) from error

    def list_dir(self, path: str) -> tuple[str, ...]:
        """See ``Host.list_dir``."""
        try:
            return tuple(sorted(os.listdir(_absolute(path)))) if self._inside is None else self._inside.list_dir(path)  # noqa: PTH208  four times as fast, and /proc is long
        except OSError as error:
            raise problem(path, error) from error

    def read_link(self, path: str) -> str:
        """See ``Host.read_link``."""
        try:
            return os.readlink(_absolute(path)) if self._inside is None else self._inside.read_link(path)  # noqa: PTH115
        except OSError as error:
            raise problem(path, error) from error

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``Host.glob``."""
        return tuple(sorted(glob(_absolute(pattern)))) if self._inside is None else self._inside.glob(pattern)  # noqa: PTH207  Path.glob follows no pattern from a root

    def disk(self, path: str) -> Disk:
        """See ``Host.disk``."""
        try:
            found = os.statvfs(_absolute(path) if self._inside is None else self._inside.real(path))
        except OSError as error:
            raise problem(path, error) from error
        return Disk(total_bytes=found.f_blocks * found.f_frsize, free_bytes=found.f_bavail * found.f_frsize)


def _absolute(path: str) -> str:
    return "/" + path.lstrip("/")


def _read(path: str, most: int) -> bytes:
    if never_read(path):
        raise OSError(0, NOT_A_FILE)
    file = open_to_read(path)
    try:
        return read_up_to(file, most)
    finally:
        os.close(file)
