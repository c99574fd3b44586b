"""A folder read as if it were ``/``: no link and no ``..`` leads out of it.

Every step is taken from a descriptor of the folder before it and follows no link itself, so that nothing somebody
changes meanwhile leads out either (``openat2`` with ``RESOLVE_IN_ROOT`` does the same, from Linux 5.6 on). It goes to
other machines with ``memfit.agent``, so it needs Python 3.8 and the standard library alone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from memfit.host._rules import never_read, open_to_read, read_up_to, walk

_MOST_LINKS = 40  # as the kernel: more are a circle
# O_PATH needs no permission to list the folder, only to pass through it; other systems than Linux have none
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(NamedTuple):
    """A name in an open folder; an empty name is the folder itself."""

    folder: int
    name: str
    real: str


class Inside:
    """The tree below ``root``; raises ``OSError`` as the kernel would for a machine with this tree."""

    def __init__(self, root: Path, *, without: tuple[str, ...] = ()) -> None:
        self._root = root
        self._without = without  # folders at its top that are not part of it, whatever lies there

    def read_bytes(self, path: str, most: int) -> bytes:
        """The first bytes of a regular file."""
        with self.reach(path) as place:
            if never_read(place.real) or not place.name:
                raise OSError(errno.EINVAL, "it is not a file to read")
            file = open_to_read(place.name, place.folder)
            try:
                return read_up_to(file, most)
            finally:
                os.close(file)

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Names in a folder, sorted."""
        with self.reach(path) as place:
            folder = os.open(place.name or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place.folder)
            try:
                names = os.listdir(folder)  # noqa: PTH208  Path takes no descriptor
            finally:
                os.close(folder)
        top = place.real == "/"
        return tuple(sorted(name for name in names if not (top and name in self._without)))

    def read_link(self, path: str) -> str:
        """Where a link points, as written."""
        with self.reach(path, last=False) as place:
            return os.readlink(place.name or ".", dir_fd=place.folder)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match and are there, sorted."""
        return tuple(sorted(path for path in walk(pattern, self._names) if self._is_there(path)))

    def real(self, path: str) -> Path:
        """Where a file or folder lies outside."""
        with self.reach(path) as place:
            return self._root / place.real.lstrip("/")

    def _names(self, folder: str) -> tuple[str, ...]:
        try:
            return self.list_dir(folder)
        except OSError:
            return ()

    def _is_there(self, path: str) -> bool:
        try:
            with self.reach(path, last=False):
                return True
        except OSError:
            return False

    @contextmanager
    def reach(self, path: str, *, last: bool = True) -> Iterator[Place]:
        """Go there by steps; ``last`` follows the last name too where it is a link."""
        held = [os.open(self._root, _PASS & ~os.O_NOFOLLOW)]
        try:
            yield self._go(held, path, last=last)
        finally:
            for folder in held:
                os.close(folder)

    def _go(self, held: list[int], path: str, *, last: bool) -> Place:
        todo, followed = _parts(path), 0
        names: list[str] = []
        while todo:
            name = todo.pop()
            if name == "..":
                if names:
                    names.pop()
                    os.close(held.pop())
                continue
            if not names and name in self._without:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            mode = os.stat(name, dir_fd=held[-1], follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode) and (todo or last):
                followed += 1
                if followed > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                target = os.readlink(name, dir_fd=held[-1])
                if target.startswith("/"):
                    names.clear()
                    while len(held) > 1:
                        os.close(held.pop())
                todo += _parts(target)
                continue
            if not todo:
                return Place(held[-1], name, "/" + "/".join((*names, name)))
            held.append(os.open(name, _PASS, dir_fd=held[-1]))
            names.append(name)
        return Place(held[-1], "", "/" + "/".join(names))


def kind_of(path: Path) -> Literal["file", "folder", "other"] | None:
    """What is there, links followed; None where nothing is, or where no file could have that name."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def _parts(path: str) -> list[str]:
    """Names of a path, the first of them last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
