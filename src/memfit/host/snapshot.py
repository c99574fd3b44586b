"""Files of a machine as they were at one moment, and a host that answers from them."""

from __future__ import annotations

import errno
import fnmatch
import os
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import msgspec

from memfit.errors import ProbeError
from memfit.host._problem import PERMISSION, needs_root
from memfit.host._rules import NOT_A_FILE, walk
from memfit.host.records import Disk, Door

_MOST_LINKS = 40  # as the kernel: more are a circle


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched of a machine.

    Attributes:
        name: its node name.
        taken: when, as ISO 8601.
        python: the version that collected it.
        uid: who collected it; 0 is root.
        live: whether its kernel ran.
        patterns: the manifest's: what they cover and is not here was not there. Without any, all there is is here.
        files: contents by absolute path.
        folders: names in a folder.
        links: targets, as written.
        refused: why what is there could not be read: ``permission``, or in words.
        cut: files of which only the beginning is here.
        disks: by mount point.
        peak_bytes: the most memory the collector took (VmHWM).
    """

    name: str
    taken: str
    python: str = ""
    uid: int | None = None
    live: bool = True
    patterns: tuple[str, ...] = ()
    files: Mapping[str, bytes] = {}
    folders: Mapping[str, tuple[str, ...]] = {}
    links: Mapping[str, str] = {}
    refused: Mapping[str, str] = {}
    cut: tuple[str, ...] = ()
    disks: Mapping[str, Disk] = {}
    peak_bytes: int | None = None


class SnapshotHost:
    """A machine of which only a snapshot is known; raises what the machine itself would have raised."""

    def __init__(self, snapshot: Snapshot, *, door: Door = "recorded", hint: str = "run again with sudo") -> None:
        self.name = snapshot.name
        self.door: Door = door
        self.live = snapshot.live
        self._hint = hint
        self._held = snapshot
        self._children: Mapping[str, set[str]] | None = None

    @property
    def snapshot(self) -> Snapshot:
        """All that is known."""
        return self._held

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """See ``Host.read_bytes``."""
        files = self.snapshot.files
        for place in self._places(path):
            if place in files:
                return files[place][:most]
        raise self._problem(path, NOT_A_FILE)

    def list_dir(self, path: str) -> tuple[str, ...]:
        """See ``Host.list_dir``."""
        known = self.snapshot
        for place in self._places(path):
            if place in known.folders:
                return tuple(sorted(known.folders[place]))
            if not known.patterns and place in self._tree:
                return tuple(sorted(self._tree[place]))
        raise self._problem(path, "it is not a folder whose names are known")

    def read_link(self, path: str) -> str:
        """See ``Host.read_link``."""
        path = _plain(path)
        parent, _, name = path.rpartition("/")
        for place in (path, *(f"{folder.rstrip('/')}/{name}" for folder in self._places(parent or "/"))):
            if place in self.snapshot.links:
                return self.snapshot.links[place]
        raise self._problem(path, "it is no link")

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``Host.glob``."""
        return tuple(sorted(path for path in walk(pattern, self._names) if self._is_there(path)))

    def disk(self, path: str) -> Disk:
        """See ``Host.disk``."""
        place = tuple(self._places(path))[-1]
        if not (self._is_there(place) or place in self.snapshot.disks) and self._is_covered(place):
            raise ProbeError(f"{path}: {os.strerror(errno.ENOENT)}")
        holders = [mount for mount in self.snapshot.disks if _holds(mount, place)]
        if not holders:
            raise ProbeError(f"{path}: the space of its file system is not known")
        return self.snapshot.disks[max(holders, key=len)]

    def _places(self, path: str) -> Iterable[str]:
        """The path itself, and what it is when its links are followed."""
        path = _plain(path)
        yield path
        real = self._follow(path)
        if real != path:
            yield real

    def _follow(self, path: str) -> str:
        links = self.snapshot.links
        todo, done, followed = [part for part in reversed(path.split("/")) if part], list[str](), 0
        while todo:
            part = todo.pop()
            if part == "..":
                del done[-1:]
                continue
            target = links.get("/" + "/".join((*done, part)))
            if target is None or followed == _MOST_LINKS:
                done.append(part)
                continue
            followed += 1
            if target.startswith("/"):
                done.clear()
            todo += [part for part in reversed(target.split("/")) if part not in ("", ".")]
        return "/" + "/".join(done)

    @property
    def _tree(self) -> Mapping[str, set[str]]:
        """Names known to be in each folder, whether listed or on the way to something that is here."""
        if self._children is None:
            known = self.snapshot
            children = {folder: set(names) for folder, names in known.folders.items()}
            on_the_way = {"/"}  # whose own ancestors are entered already
            for table in (known.files, known.folders, known.links, known.refused):
                for path in table:
                    while path not in on_the_way:
                        on_the_way.add(path)
                        parent, _, name = path.rpartition("/")
                        path = parent or "/"
                        children.setdefault(path, set()).add(name)
            self._children = children
        return self._children

    def _names(self, folder: str) -> Iterable[str]:
        return next((self._tree[place] for place in self._places(folder) if place in self._tree), ())

    def _is_there(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return path == "/" or name in self._names(parent or "/")

    def _is_covered(self, path: str) -> bool:
        patterns = self.snapshot.patterns
        return not patterns or any(_matches(path, pattern) for pattern in patterns)

    def _problem(self, path: str, otherwise: str) -> ProbeError:
        """Why ``path`` cannot be read; ``otherwise`` says it where it is there and is something else."""
        known = self.snapshot
        places = tuple(self._places(path))
        for place in places:
            why = known.refused.get(place)
            if why == PERMISSION or (why is None and self._lies_in_refused(place)):
                return needs_root(path, self._hint)
            if why is not None:
                return ProbeError(f"{path}: {why}")
        if any(place in known.files or place in self._tree for place in places):
            return ProbeError(f"{path}: {otherwise}")
        if any(place in known.links or self._is_covered(place) for place in places):
            return ProbeError(f"{path}: {os.strerror(errno.ENOENT)}")
        return ProbeError(
            f"{path}: it is not among what was recorded",
            hint="it was recorded for other questions, or by an older memfit: record again",
        )

    def _lies_in_refused(self, path: str) -> bool:
        return any(self.snapshot.refused.get(str(parent)) == PERMISSION for parent in PurePosixPath(path).parents)


def _plain(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _holds(mount: str, path: str) -> bool:
    return mount == "/" or path == mount or path.startswith(mount + "/")


def _matches(path: str, pattern: str) -> bool:
    names, parts = path.strip("/").split("/"), pattern.strip("/").split("/")
    return len(names) == len(parts) and all(map(fnmatch.fnmatchcase, names, parts))
