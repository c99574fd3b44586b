"""This machine."""

from __future__ import annotations

import os
from pathlib import Path

from memfit.errors import NeedsRoot, ProbeError


class LocalHost:
    """The machine memfit runs on. ``root`` may name another folder to read as if it were ``/``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self.name = os.uname().nodename

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


def _problem(path: str, error: OSError) -> ProbeError:
    if isinstance(error, PermissionError):
        return NeedsRoot(f"{path}: only root may read it", hint="run again with sudo")
    return ProbeError(f"{path}: {error.strerror or error}")
