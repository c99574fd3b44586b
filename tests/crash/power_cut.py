"""A power cut at a chosen call.

What the kernel was told and had not yet to be on the disk is lost. Of files that were not flushed it is all or half of
what they held, with their permissions. Of changes of folders it is, on a file system with a journal, a tail, in order,
that reaches at most back to the last one whose folder was flushed; on others (``apart``) a flush helps no other folder,
and each loses all that came after its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dying import REAL, Work, in_child, through

_CUT, _ENDED, _APART = 1, 1, 2


class Cut(NamedTuple):
    """What came of it.

    Attributes:
        came: whether the work came to that call.
        pending: changes of folders that could have been lost on a file system with a journal.
        differs: whether others could have lost more.
    """

    came: bool
    pending: int
    differs: bool


class Change(NamedTuple):
    """One change of a folder, and how it is lost."""

    folder: tuple[int, int]
    lose: Callable[[], None]


class Disk:
    """What of a child's calls is on the disk already.

    Args:
        graves: a folder of the same file system, for what was removed and may come back.
    """

    def __init__(self, graves: Path) -> None:
        self._graves = graves
        self._changes: list[Change] = []
        self._flushed = 0
        self._flushed_apart: set[int] = set()
        self._dirty: dict[tuple[int, int], int] = {}

    def do(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """One call, done and remembered."""
        if isinstance(arguments[0], int):
            return self._do_to_file(name, arguments, named)
        folder = named.get("dir_fd", named.get("src_dir_fd"))
        if folder is None:
            return REAL[name](*arguments, **named)  # no part of the tree
        before = _look(arguments[0], folder)
        if name == "open" and before is not None:
            return REAL[name](*arguments, **named)
        lose = self._loss(name, arguments, os.dup(folder), before)
        done = REAL[name](*arguments, **named)
        self._changes.append(Change(_key(folder), lose))
        return done

    def cut(self, kept: int, *, half: bool, apart: bool) -> int:
        """Lose all but ``kept`` of the changes that may be lost; what is then said in a status."""
        own = [change for number, change in enumerate(self._changes, 1) if number not in self._flushed_apart]
        pending = self._changes[self._flushed :]
        for change in reversed(own if apart else pending[kept:]):
            change.lose()
        for file in self._dirty.values():
            os.ftruncate(file, os.fstat(file).st_size // 2 if half else 0)
            REAL["fchmod"](file, 0o600)
        return 4 * len(pending) + _APART * (own != pending)

    def _do_to_file(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        file, done = arguments[0], REAL[name](*arguments, **named)
        if name != "fsync":
            self._dirty.setdefault(_key(file), os.dup(file))
        elif stat.S_ISDIR(os.fstat(file).st_mode):
            own = [number for number, change in enumerate(self._changes, 1) if change.folder == _key(file)]
            self._flushed = max([self._flushed, *own])
            self._flushed_apart |= {*own}
        else:
            self._dirty.pop(_key(file), None)
        return done

    def _loss(self, name: str, arguments: Any, folder: int, before: os.stat_result | None) -> Callable[[], None]:
        """How a call is undone, for when it is lost."""
        there = arguments[0]
        if name in ("open", "symlink", "link"):
            made = arguments[1] if name in ("symlink", "link") else there
            return lambda: REAL["unlink"](made, dir_fd=folder)
        if name == "mkdir":
            return lambda: REAL["rmdir"](there, dir_fd=folder)
        if name == "rename":
            return self._loss_of_rename(there, arguments[1], folder)
        if before is None:
            return lambda: None  # it fails
        if name == "unlink":
            return self._burial(there, folder)
        if name == "rmdir":
            return lambda: REAL["mkdir"](there, stat.S_IMODE(before.st_mode), dir_fd=folder)
        if name == "chmod":
            return lambda: REAL["chmod"](there, stat.S_IMODE(before.st_mode), dir_fd=folder)
        if name == "utime":
            times = (before.st_atime_ns, before.st_mtime_ns)
            return lambda: REAL["utime"](there, ns=times, dir_fd=folder, follow_symlinks=False)
        return lambda: REAL["chown"](there, before.st_uid, before.st_gid, dir_fd=folder, follow_symlinks=False)

    def _loss_of_rename(self, old: str, new: str, folder: int) -> Callable[[], None]:
        one, two = _look(old, folder), _look(new, folder)
        if one is None or (two is not None and one.st_ino == two.st_ino):
            return lambda: None  # it fails, or does nothing
        replaced = None if two is None else self._burial(new, folder)

        def lose() -> None:
            REAL["rename"](new, old, src_dir_fd=folder, dst_dir_fd=folder)
            if replaced is not None:
                replaced()

        return lose

    def _burial(self, name: str, folder: int) -> Callable[[], None]:
        grave = str(self._graves / str(len(self._changes)))
        REAL["link"](name, grave, src_dir_fd=folder, follow_symlinks=False)
        return lambda: REAL["rename"](grave, name, dst_dir_fd=folder)


def _look(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _key(file: int) -> tuple[int, int]:
    there = os.fstat(file)
    return there.st_dev, there.st_ino


def cut_power(work: Work, at: int, graves: Path, *, kept: int = 0, half: bool = False, apart: bool = False) -> Cut:
    """Power is cut before the call number ``at`` (from 0) of ``work``, or after its last one."""

    def doomed() -> int:
        disk, done = Disk(graves), 0

        def call(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            nonlocal done
            if done == at:
                os._exit(_CUT + disk.cut(kept, half=half, apart=apart))
            done += 1
            return disk.do(name, arguments, named)

        with through(call):
            work()
        return _CUT + disk.cut(kept, half=half, apart=apart) + _ENDED

    status = in_child(doomed) - _CUT
    return Cut(not status & _ENDED, status // 4, bool(status & _APART))
