"""A large file that has its name only when it is whole, with the digest of what was written."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from memfit.errors import MemfitError, UsageError
from memfit.units import format_bytes

Progress = Callable[[int, int], None]

_NUMBERS = itertools.count()  # of files that one process makes in one folder at a time
_HASHED_BESIDE_BYTES = 1 << 16  # a thread for less costs more than it brings


@contextmanager
def new_file(path: Path, size: int, *, overwrite: bool, progress: Progress | None = None) -> Iterator[NewFile]:
    """A file of ``size`` bytes to be written; it is gone where the block ends without ``keep``.

    Raises:
        UsageError: there is a file of that name, or a folder.
        MemfitError: no such folder, not enough space, or the disk fails.
    """
    place = Path(os.path.realpath(path))
    _refuse(place, size, overwrite=overwrite)
    file = NewFile(place, size, overwrite=overwrite, progress=progress)
    try:
        yield file
    except OSError as failure:
        raise file.failed(failure) from failure
    finally:
        file.close()


class NewFile:
    """A file under construction: written to by ``write``, named by ``keep``.

    Where the file system can (``O_TMPFILE``), it has no name at all until then, so that not even a killed process
    leaves anything behind; elsewhere it has a hidden one beside its place.
    """

    def __init__(self, place: Path, size: int, *, overwrite: bool, progress: Progress | None) -> None:
        self._place = place
        self._size = size
        self._overwrite = overwrite
        self._progress = progress
        self._digest = hashlib.sha256()
        self._hashing: Future[None] | None = None
        self._written = 0
        # short, as names may be of any length; the process's number stands last, by which leftovers are told
        self._hidden = place.with_name(f".memfit-{next(_NUMBERS)}-{os.getpid()}.partial")
        try:
            self._file, self._named = self._open()
        except OSError as failure:
            raise self.failed(failure) from failure
        self._hasher = ThreadPoolExecutor(1)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append; the digest is computed beside the writing."""
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None
        if len(data) < _HASHED_BESIDE_BYTES:
            self._digest.update(data)
        else:
            self._hashing = self._hasher.submit(self._digest.update, data)
        self._file.write(data)
        self._written += len(data)
        if self._progress is not None:
            self._progress(self._written, self._size)
        return len(data)

    def sha256(self) -> str:
        """Of what was written so far: whoever wants to see another does not keep it."""
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None
        return self._digest.hexdigest()

    def keep(self) -> str:
        """Give the file its name, once it has reached the disk; returns its SHA-256.

        Raises:
            UsageError: another file has taken the name meanwhile.
        """
        self._hasher.shutdown()
        self._file.flush()
        os.fsync(self._file.fileno())
        if not self._named and self._overwrite:
            self._link(self._hidden)
            self._named = True
        if self._named and self._overwrite:
            self._hidden.replace(self._place)
        else:
            self._link(self._place)
        _sync_folder(self._place.parent)
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let go of the file; without ``keep`` nothing of it stays."""
        self._hasher.shutdown()
        with suppress(OSError):  # what is left in its buffer finds no place, and is not wanted any more
            self._file.close()
        if self._named:
            self._hidden.unlink(missing_ok=True)

    def failed(self, failure: OSError) -> MemfitError:
        """What to tell about a failure of the disk."""
        reason = failure.strerror or str(failure)
        if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            reason += f", {format_bytes(self._written)} of {format_bytes(self._size)} were written"
        return MemfitError(
            f"cannot write {self._place}: {reason}",
            hint="nothing is left of it; free some space, or choose another disk",
        )

    def _open(self) -> tuple[BinaryIO, bool]:
        try:
            number = os.open(self._place.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
        except OSError:  # not every file system can, and each says so in its own way
            return self._hidden.open("xb"), True
        if Path(f"/proc/self/fd/{number}").exists():
            return os.fdopen(number, "wb"), False
        os.close(number)  # without /proc it could not be given its name
        return self._hidden.open("xb"), True

    def _link(self, name: Path) -> None:
        """A name for the file; another of that name is never replaced."""
        source = self._hidden if self._named else Path(f"/proc/self/fd/{self._file.fileno()}")
        try:
            # a folder is given only so that Python calls linkat, which can follow the link in /proc
            os.link(source, name, src_dir_fd=self._file.fileno(), follow_symlinks=True)
        except FileExistsError as failure:
            raise UsageError(f"{name} exists", hint="another program made it meanwhile; give --overwrite") from failure
        except OSError:
            if not self._named:
                raise
            self._hidden.rename(name)  # FAT has no links


def _refuse(place: Path, size: int, *, overwrite: bool) -> None:
    folder = place.parent
    if place.is_dir():
        raise UsageError(f"{place} is a folder", hint="give the file a name in it")
    if not folder.is_dir():
        raise MemfitError(f"no such folder: {folder}", hint="make it first: mkdir -p")
    if place.exists() and not place.is_file():
        raise UsageError(f"{place} is no regular file", hint="give a file on a disk")
    if place.exists() and not overwrite:
        raise UsageError(f"{place} exists", hint="choose another name, or give --overwrite")
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < size:
        raise MemfitError(
            f"{folder} has no room: the file needs {format_bytes(size)}, {format_bytes(free)} are free",
            hint="a smaller --format, or another disk; a file that is replaced makes room only afterwards",
        )


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):  # some network file systems cannot
        os.fsync(number)
    os.close(number)
