"""Room on a disk that a change asks for: whether it is there, and what is known of a file that only takes room."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from memfit.agent.failure import Failure, of_system

if TYPE_CHECKING:
    from memfit.agent.tree import Tree

MODE = 0o600
_SMALLEST_BYTES, _SHARE_LEFT = 4096, 50
"""A fiftieth of the file system stays free: journals and logs are written on."""


def plan_space(change: dict[str, Any], tree: Tree) -> list[dict[str, Any]]:
    """The step for a change.

    Raises:
        Failure: something is there, whatever it is: a program is about to write over it; or there is no room.
    """
    path, size = change["path"], change["bytes"]
    step = {"kind": "space", "path": path, "bytes": size}
    try:
        if look(tree, path) is not None:
            raise Failure(
                "refused",
                f"{path} is there already, and what is in it would be written over",
                hint="memfit undo removes it where memfit status says that memfit made it; else rename it",
            )
        with tree.folder(path) as (folder, _):
            room = os.fstatvfs(folder)
    except OSError as error:
        raise of_system(path, error) from error
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    if size < _SMALLEST_BYTES or size % _SMALLEST_BYTES:
        raise Failure("refused", f"{path}: {size} bytes are no whole pages")
    if free - size < whole // _SHARE_LEFT:
        raise Failure("apply", f"{path}: {free} bytes are free, too few for {size} more", hint="free some space there")
    return [step]


def look(tree: Tree, path: str) -> os.stat_result | None:
    """What is at a path, which is not followed; None where nothing is.

    Raises:
        OSError: what the kernel refuses.
    """
    try:
        with tree.folder(path) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_so(found: os.stat_result, size: int) -> bool:
    """Whether it is such a file of this many bytes, whoever made it."""
    alike = (found.st_size, found.st_uid, stat.S_IMODE(found.st_mode)) == (size, os.geteuid(), MODE)
    return stat.S_ISREG(found.st_mode) and alike
