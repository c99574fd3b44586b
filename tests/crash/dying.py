"""Death at a chosen call: a child does the work, and the N-th call of it that writes is its last.

Calls are those of module ``os``, which is all the agent writes with. What stands on the disk between two calls is what
a kill between them leaves, so death before each call and in the middle of each ``write`` covers every instant.
"""

from __future__ import annotations

import errno
import os
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# what changes something; ``open`` where it may make a file
WRITING = (
    *("open", "write", "rename", "link", "symlink", "unlink", "rmdir", "mkdir", "fsync", "fchmod", "chmod"),
    *("fchown", "chown", "setxattr", "utime", "posix_fallocate"),
)
# what needs space for it
TAKING = ("open", "write", "mkdir", "symlink", "link", "posix_fallocate")
REAL: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in WRITING}
_DEAD, _FAILED = 100, 99

Work = Callable[[], dict[str, Any]]
Call = Callable[[str, tuple[Any, ...], dict[str, Any]], Any]
"""Does a call or does not: its name and arguments."""


def makes_a_file(name: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a call writes at all: ``open`` without ``O_CREAT`` only reads."""
    return name != "open" or bool(arguments[1] & os.O_CREAT)


@contextmanager
def through(call: Call) -> Iterator[None]:
    """Every call that writes goes through ``call``."""

    def instead(name: str) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if makes_a_file(name, arguments):
                return call(name, arguments, named)
            return REAL[name](*arguments, **named)

        return called

    with pytest.MonkeyPatch.context() as patch:
        for name in WRITING:
            patch.setattr(os, name, instead(name))
        yield


@contextmanager
def unflushed() -> Iterator[None]:
    """Nothing is flushed: a kill does not lose what the kernel was told, and flushing takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sync", lambda: None)
        patch.setattr(os, "fsync", lambda file: None)
        patch.setitem(REAL, "fsync", lambda file: None)
        yield


def in_child(work: Callable[[], int]) -> int:
    """The status with which a child ends that does ``work`` and nothing after it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: other threads may hold locks; none does
        child = os.fork()
    if child == 0:
        status = _FAILED
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == _FAILED:
        raise AssertionError("the child failed by itself: see what it wrote")
    return status


def dies(work: Work, at: int, *, half: bool = False) -> str:
    """The name of the call number ``at`` (from 0) of ``work``, before which it died; empty where it did not come to it.

    With ``half``, half of a ``write`` is written first.
    """

    def doomed() -> int:
        done = 0

        def call(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            nonlocal done
            if done == at:
                if half and name == "write":
                    REAL["write"](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os._exit(_DEAD + WRITING.index(name))
            done += 1
            return REAL[name](*arguments, **named)

        with through(call):
            work()
        return 0

    status = in_child(doomed)
    return WRITING[status - _DEAD] if status else ""


class FullDisk:
    """A disk on which the ``after``-th call that needs space finds none, and none after it, whatever is removed.

    Attributes:
        is_full: whether it came to that.
    """

    def __init__(self, after: int = 0) -> None:
        self._left = after
        self.is_full = False

    def call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if not _takes_space(name, arguments, named):
            return REAL[name](*arguments, **named)
        if self._left:
            self._left -= 1
            return REAL[name](*arguments, **named)
        if not self.is_full and name == "write" and len(arguments[1]) > 1:
            self.is_full = True
            return REAL["write"](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])  # as much as goes in
        self.is_full = True
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _takes_space(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    in_tree = isinstance(arguments[0], int) or not {"dir_fd", "src_dir_fd"}.isdisjoint(named)
    if name not in TAKING or not in_tree:
        return False
    if name != "open":
        return True
    try:
        os.stat(arguments[0], dir_fd=named["dir_fd"], follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False
