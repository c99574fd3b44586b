"""Control groups, version 2: a group of its own under the nearest one that hands its memory controller on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from memfit.measure.limits._fence import (
    Fence,
    Ground,
    Mechanism,
    Unavailable,
    enter,
    fresh_name,
    notes,
    remove_stale,
    try_out,
)
from memfit.measure.limits._group import Group
from memfit.measure.records import Limit


def open_fence(limit_bytes: int | None, ground: Ground, _refusals: tuple[str, ...]) -> Fence:
    """A new group with ``memory.max``, and no swap where there is a limit.

    No group that is already there is changed: one that does not hand memory on is passed over.

    Raises:
        Unavailable: no such hierarchy, no parent that hands memory on, or no permission.
        TooSmall: whatever starts in this limit is killed.
    """
    mount = ground.memory_mount(2)
    if mount is None:
        raise Unavailable("not mounted")
    own = ground.own_group(2, mount)
    parent = next((folder for folder in _upward(own, mount.folder) if _hands_on(folder)), None)
    if parent is None:
        raise Unavailable("no group above memfit hands its memory controller on")
    remove_stale(mount.folder)
    group = Group(parent / fresh_name(), 2)
    try:
        group.folder.mkdir()
    except OSError as error:
        raise Unavailable(f"{parent}: {error.strerror}") from None
    try:
        swaps = _limit(group, limit_bytes)
        try_out(group, ground)
    except OSError as error:
        group.remove()
        raise Unavailable(f"{error.filename}: {error.strerror}") from None
    except BaseException:
        group.remove()
        raise
    allowed = [size for folder in _upward(parent, mount.folder) if (size := Group(folder, 2).number("memory.max"))]
    note = notes(limit_bytes, min(allowed, default=None), ground, swaps=swaps)
    limit = Limit(mechanism="cgroup_v2", limit_bytes=limit_bytes, note=note)
    return Fence(limit=limit, group=group, prefix=enter(group.folder))


def _limit(group: Group, limit_bytes: int | None) -> bool:
    """Set the limit; whether it can still be swapped."""
    with contextlib.suppress(OSError):  # since Linux 4.19: one process killed leaves the others hanging
        group.write("memory.oom.group", 1)
    if limit_bytes is None:
        return False
    group.write("memory.max", limit_bytes)
    if not group.has("memory.swap.max"):
        return True
    group.write("memory.swap.max", 0)
    return False


def _hands_on(folder: Path) -> bool:
    try:
        return "memory" in (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
    except OSError:
        return False


def _upward(folder: Path, top: Path) -> Iterator[Path]:
    yield folder
    while folder != top and top in folder.parents:
        folder = folder.parent
        yield folder


MECHANISM = Mechanism(title="cgroup v2", rank=0, open=open_fence)
