"""The other end of a transfer that is a folder of this machine, such as a drive that is then carried to the board."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from memfit.errors import ProbeError

PIECE = 1 << 20
PART = ".part"

Progress = Callable[[int, int], None]


def digest_of(file: Path, count: int) -> str:
    """SHA-256 of the first ``count`` bytes."""
    state = hashlib.sha256()
    with file.open("rb") as data:
        while count and (piece := data.read(min(count, PIECE))):
            state.update(piece)
            count -= len(piece)
    return state.hexdigest()


class Drive:
    """A folder of this machine, such as a drive that is then carried to the board."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shown(self, name: str) -> str:
        return str(self._folder / name)

    def look(self, name: str) -> tuple[int | None, int, int]:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as failure:
            raise ProbeError(
                f"{self._folder}: {failure.strerror}", hint="is the drive mounted? memfit makes no folder outside of it"
            ) from failure
        return self._size(name), self._size(name + PART) or 0, free

    def digest(self, name: str, count: int) -> str:
        path = self._folder / name
        with suppress(OSError), path.open("rb") as file:  # what was written is read from the drive, not from memory
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return digest_of(path, count)

    def append(self, file: Path, name: str, at: int, size: int, progress: Progress | None) -> int:
        path = self._folder / name
        sent = 0
        try:
            with file.open("rb") as source, path.open("r+b" if at else "wb") as drive:
                source.seek(at)
                drive.seek(at)
                drive.truncate()
                while piece := source.read(PIECE):
                    drive.write(piece)
                    sent += len(piece)
                    if progress is not None:
                        progress(at + sent, size)
                drive.flush()
                os.fsync(drive.fileno())
        except OSError as failure:
            raise ProbeError(f"{path}: {failure.strerror}", hint="is there space, and is it writable?") from failure
        return sent

    def remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()

    def name(self, name: str, final: str) -> None:
        try:
            (self._folder / name).replace(self._folder / final)
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as failure:
            raise ProbeError(f"{self._folder / final}: {failure.strerror}") from failure

    def _size(self, name: str) -> int | None:
        try:
            return (self._folder / name).stat().st_size
        except OSError:
            return None
