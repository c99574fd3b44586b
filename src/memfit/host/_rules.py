"""The rules that all doors share: what is never read, how a pattern becomes paths, and how a file is read.

``_collector.py`` is sent to other machines behind this text, so it needs Python 3.8 and the standard library alone.
Patterns are compiled when they are first asked: reading this machine needs one of them.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator

NOT_A_FILE = "it is not a regular file"
KERNEL_LOG = "/dev/kmsg"  # the one device that is read: without blocking it gives what is there, and changes nothing
PIECE_BYTES = 1 << 16
_MAGIC = r"[*?\[]"
# Reads that block, have no end, take something out of a queue, or touch hardware that may be without power
_NEVER = (
    r"/proc/(?:kmsg|kcore|kpage\w+|sysrq-trigger|(?:\d+|self|thread-self)/(?:.*/)?(?:mem|pagemap|clear_refs))$"
    r"|/sys/.*/(?:trace_pipe\w*|resource\d+(?:_wc)?|rom|registers|regs)$"
)
# Fine to read on the machine itself, but never sent or stored
_SECRET = r"/proc/.*/environ$|/etc/g?shadow-?$|/etc/ssh/.*key$|/etc/sudoers|/etc/ssl/private/|/\.ssh/|/\.gnupg/"
# Read last and close together, so that what counts pages of the whole machine and what counts those of each process
# describe nearly the same moment
_OF_THE_MOMENT = r"/proc/(?:meminfo|vmstat|zoneinfo|buddyinfo|slabinfo|vmallocinfo|swaps)$|/nvmap/|/zram"


def never_read(path: str) -> bool:
    """Whether a read of ``path`` could block, take something away or disturb hardware."""
    return re.match(_NEVER, path) is not None


def never_sent(path: str) -> bool:
    """Whether ``path`` holds secrets that belong in no recording."""
    return re.search(_SECRET, path) is not None


def rank(pattern: str) -> int:
    """The later, the more its content is of the moment."""
    return 2 if pattern.endswith("/smaps_rollup") else 1 if re.search(_OF_THE_MOMENT, pattern) else 0


def walk(pattern: str, names: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Paths a shell pattern stands for, sorted; what follows its last wildcard is not looked for.

    Args:
        pattern: absolute; ``*``, ``?`` and ``[…]`` match within one name, and no leading dot.
        names: the names in a folder; none where it is not one.
    """
    return _walk("", [part for part in pattern.split("/") if part], names)


def _walk(folder: str, parts: list[str], names: Callable[[str], Iterable[str]]) -> Iterator[str]:
    for index, part in enumerate(parts):
        if not re.search(_MAGIC, part):
            folder += "/" + part
            continue
        matching = re.compile(fnmatch.translate(part)).match
        for name in sorted(names(folder or "/")):
            if matching(name) and (part[0] == "." or name[:1] != "."):
                yield from _walk(folder + "/" + name, parts[index + 1 :], names)
        return
    yield folder or "/"


def open_to_read(path: str, folder: int | None = None) -> int:
    """A descriptor of a regular file (or the kernel's log) that no read of blocks.

    Raises:
        OSError: as ``open``; EINVAL for a pipe, a device, a folder.
    """
    log = path == KERNEL_LOG and folder is None
    # asked before it is opened: merely to open a watchdog starts it
    if not log and not stat.S_ISREG(os.stat(path, dir_fd=folder, follow_symlinks=folder is None).st_mode):
        raise OSError(errno.EINVAL, NOT_A_FILE)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if folder is None else os.O_NOFOLLOW)
    file = os.open(path, flags, dir_fd=folder)
    if log or stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, NOT_A_FILE)


def read_up_to(file: int, most: int) -> bytes:
    """The next ``most`` bytes, fewer only at the end.

    Raises:
        OSError: as ``read``.
    """
    pieces: list[bytes] = []
    while most > 0:
        try:
            piece = os.read(file, min(most, PIECE_BYTES))
        except BlockingIOError:
            break  # the end of the kernel's log
        except BrokenPipeError:
            continue  # the kernel's log dropped records before we came to them
        except OSError as error:
            if error.errno == errno.EINVAL and pieces:
                break  # its next record is longer than what is left
            raise
        if not piece:
            break
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)
