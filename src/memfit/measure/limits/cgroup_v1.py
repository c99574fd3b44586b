"""Control groups, version 1: a group of its own under memfit's, as JetPack 4 and hybrid systems have them."""

from __future__ import annotations

import contextlib
import mmap

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
    """A new group with a limit on memory, and on memory with swap where swap is accounted.

    Raises:
        Unavailable: no such hierarchy, or no permission.
        TooSmall: whatever starts in this limit is killed.
    """
    mount = ground.memory_mount(1)
    if mount is None:
        raise Unavailable("not mounted")
    parent = ground.own_group(1, mount)
    remove_stale(mount.folder)
    group = Group(parent / fresh_name(), 1)
    try:
        group.folder.mkdir()
    except OSError as error:
        raise Unavailable(f"{parent}: {error.strerror}") from None
    try:
        swaps = limit_bytes is not None and _limit(group, limit_bytes)
        try_out(group, ground)
    except OSError as error:
        group.remove()
        raise Unavailable(f"{error.filename}: {error.strerror}") from None
    except BaseException:
        group.remove()
        raise
    note = notes(limit_bytes, group.hierarchical_limit_bytes(), ground, swaps=swaps)
    limit = Limit(mechanism="cgroup_v1", limit_bytes=limit_bytes, note=note)
    return Fence(limit=limit, group=group, prefix=enter(group.folder))


def _limit(group: Group, limit_bytes: int) -> bool:
    """Set the limit; whether it can still be swapped."""
    group.write("memory.limit_in_bytes", limit_bytes)
    if group.has("memory.memsw.limit_in_bytes"):
        # a page more: else this limit is hit first, and newer kernels count the failures of the other alone
        group.write("memory.memsw.limit_in_bytes", limit_bytes + mmap.PAGESIZE)
        return False
    with contextlib.suppress(OSError):  # swap is not accounted (swapaccount=0): ask for as little as possible
        group.write("memory.swappiness", 0)
    return True


MECHANISM = Mechanism(title="cgroup v1", rank=1, open=open_fence)
