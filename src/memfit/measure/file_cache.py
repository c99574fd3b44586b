"""What of a model's files the kernel keeps in memory, and asking it to let go of that.

Cached pages belong to whoever read them first. A model that was read before would not be charged to a run's limit, and
would load at the speed of memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable

from memfit.units import format_bytes

_MAP_FAILED = ctypes.c_void_p(-1).value
_WINDOW_BYTES = 1 << 30  # of a file, asked about at once: a byte a page
_PROT_NONE = 0


def drop(files: Iterable[str]) -> str:
    """Ask the kernel to drop the cached pages of ``files``; says what stayed, empty where nothing did.

    Pages that another process has mapped stay, and so do those of files that may not be opened. What stays of a file
    that is neither the user's nor his to write is not known here: ``Course.charged_elsewhere_bytes`` tells of it.
    """
    left, problem = 0, ""
    for path in files:
        try:
            left += _drop(path)
        except OSError as error:
            problem = problem or f"the page cache of {path} was not dropped: {error.strerror}"
    if not left:
        return problem
    stayed = f"{format_bytes(left)} of the model stayed in the page cache: another process has it mapped"
    return f"{problem}; {stayed}" if problem else stayed


def _drop(path: str) -> int:
    """Drop one file; how much of it stayed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # pages that are not yet written cannot be dropped
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return cached_bytes(descriptor) or 0
    finally:
        os.close(descriptor)


def cached_bytes(descriptor: int) -> int | None:
    """Bytes of an open file in the page cache (mincore); None where the kernel does not tell.

    To whoever neither owns the file nor may write it, Linux answers that all of it is there (mincore(2), since 5.2):
    that is no answer.
    """
    if not _is_told(descriptor):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int64,
    )
    libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    size = os.fstat(descriptor).st_size
    pages = 0
    for offset in range(0, size, _WINDOW_BYTES):
        length = min(_WINDOW_BYTES, size - offset)
        address = libc.mmap(None, length, _PROT_NONE, mmap.MAP_SHARED, descriptor, offset)
        if address == _MAP_FAILED:
            return None
        seen = (ctypes.c_uint8 * -(-length // mmap.PAGESIZE))()
        failed = libc.mincore(address, length, seen)
        libc.munmap(address, length)
        if failed:
            return None
        # the low bit of each byte says that the page is there; the others are reserved
        pages += sum(bytes(seen).translate(_LOW_BIT))
    return pages * mmap.PAGESIZE


def _is_told(descriptor: int) -> bool:
    """Whether mincore tells this user the truth about a file."""
    if os.fstat(descriptor).st_uid == os.geteuid():
        return True
    return os.access(f"/proc/self/fd/{descriptor}", os.W_OK, effective_ids=True)


_LOW_BIT = bytes(value & 1 for value in range(256))
