"""This machine."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path

from memfit.errors import NeedsRoot, ProbeError
from memfit.host.records import Disk, Door


class LocalHost:
    """The machine memfit runs on. ``root`` may name another folder to read as if it were ``/``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self.name = os.uname().nodename
        self.door: Door = "local"
        self.live = True

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """See ``Host.read_bytes``."""
        try:
            with (self._root / path.lstrip("/")).open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise _problem(path, error) from error

    def list_dir(self, path: str) -> tuple[str, ...]:
        """See ``Host.list_dir``."""
        try:
            return tuple(sorted(entry.name for entry in (self._root / path.lstrip("/")).iterdir()))
        except OSError as error:
            raise _problem(path, error) from error

    def read_link(self, path: str) -> str:
        """See ``Host.read_link``."""
        try:
            return str((self._root / path.lstrip("/")).readlink())
        except OSError as error:
            raise _problem(path, error) from error

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``Host.glob``."""
        return tuple(sorted(f"/{found}" for found in glob(pattern.lstrip("/"), root_dir=self._root)))  # noqa: PTH207  Path.glob follows no pattern from a root

    def disk(self, path: str) -> Disk:
        """See ``Host.disk``."""
        try:
            found = os.statvfs(self._root / path.lstrip("/"))
        except OSError as error:
            raise _problem(path, error) from error
        return Disk(total_bytes=found.f_blocks * found.f_frsize, free_bytes=found.f_bavail * found.f_frsize)


def _problem(path: str, error: OSError) -> ProbeError:
    if isinstance(error, PermissionError):
        return NeedsRoot(f"{path}: only root may read it", hint="run again with sudo")
    return ProbeError(f"{path}: {error.strerror or error}")
