"""Files, links and folders below a root: what is there, and how one becomes another in a single step of the kernel.

Every name is reached from a descriptor of its folder, so no link leads out of the root, and nothing is ever written
under its own name: content is made beside it, flushed, and renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from memfit.host._inside import Inside

MOST_BYTES = 64 << 20
"""Of one file: what memfit changes are texts, and a boot loader's environment at most."""


class Node(NamedTuple):
    """What is at a path: ``absent``, ``file``, ``link``, ``folder`` or ``other``.

    Two are the same where kind, content, target, permissions and owner are: times and attributes are put back, and no
    reason to say that somebody changed something. A time of None is that of the writing.
    """

    kind: str
    sha256: str = ""
    target: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int | None = None
    attributes: dict[str, str] | None = None

    def same_as(self, other: Node) -> bool:
        """Whether nothing that counts differs."""
        return self[:6] == other[:6]


ABSENT = Node("absent")


def node_of(fields: dict[str, Any]) -> Node:
    """From JSON."""
    return Node(**fields)


class Tree:
    """The files of a machine, or of an image of one that does not run."""

    def __init__(self, root: str = "/") -> None:
        self.root = root
        self._inside = Inside(Path(root))

    def node(self, path: str) -> Node:
        """What is at ``path``, its last name not followed.

        Raises:
            OSError: other than that it is not there.
        """
        try:
            with self._inside.reach(path, last=False) as place:
                return _look(place.folder, place.name or ".")
        except FileNotFoundError:
            return ABSENT
        except NotADirectoryError:
            return ABSENT

    def real(self, path: str) -> str:
        """The same path with every link on its way followed, the last name too, as far as anything is there.

        Raises:
            OSError: links in a circle, and what the kernel refuses.
        """
        try:
            with self._inside.reach(path) as place:
                return place.real
        except FileNotFoundError:
            return self.place(path)

    def place(self, path: str) -> str:
        """As ``real``, but for the last name, which is what is changed.

        Raises:
            OSError: as ``real``.
        """
        above, _, name = path.rstrip("/").rpartition("/")
        return f"{self.real(above).rstrip('/')}/{name}" if above else f"/{name}"

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            OSError: it is none, or cannot be read.
        """
        return self._inside.read_bytes(path, MOST_BYTES)

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder; none where it is not one, or nobody may look into it."""
        try:
            return self.listing(path)
        except OSError:
            return ()

    def listing(self, path: str) -> tuple[str, ...]:
        """Names in a folder; none where nothing is.

        Raises:
            OSError: it is none, or nobody may look into it.
        """
        try:
            return self._inside.list_dir(path)
        except FileNotFoundError:
            return ()

    def links(self, path: str) -> dict[str, str]:
        """Links in a folder and where they lead, as written; none where it is not one."""
        try:
            with self.folder(f"{path}/.") as (folder, _), os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.is_symlink()]
                return {name: os.readlink(name, dir_fd=folder) for name in names}
        except OSError:
            return {}

    def write(self, path: str, content: bytes, like: Node) -> None:
        """A new file, flushed to the disk, with mode, owner and attributes of ``like``; for names nobody else uses.

        Raises:
            OSError: what the kernel refuses; then nothing is there.
        """
        with self.folder(path) as (folder, name):
            _remove(folder, name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600 if like.mode == 0 else 0, dir_fd=folder)
            try:
                _fill(file, content, like)
            except BaseException:
                _remove(folder, name)
                raise
            finally:
                os.close(file)

    def link(self, path: str, target: str, like: Node | None = None) -> None:
        """A new symbolic link.

        Raises:
            OSError: what the kernel refuses.
        """
        with self.folder(path) as (folder, name):
            _remove(folder, name)
            os.symlink(target, name, dir_fd=folder)
            if like is None:
                return
            if like.mtime_ns is not None:
                os.utime(name, ns=(like.mtime_ns, like.mtime_ns), dir_fd=folder, follow_symlinks=False)
            if (like.uid, like.gid) != (os.geteuid(), os.getegid()):
                os.chown(name, like.uid, like.gid, dir_fd=folder, follow_symlinks=False)

    def keep(self, path: str, other: str) -> bool:
        """A second name for what is at ``path``, in the same folder; False where the file system has no such thing.

        Raises:
            OSError: any other refusal.
        """
        with self.folder(path) as (folder, name):
            beside = other.rpartition("/")[2]
            _remove(folder, beside)
            try:
                os.link(name, beside, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV):
                    return False
                raise
            return True

    def rename(self, path: str, other: str) -> None:
        """One name to another of the same folder, which it replaces; on the disk when this returns.

        Raises:
            OSError: what the kernel refuses.
        """
        with self.folder(path) as (folder, name):
            os.rename(name, other.rpartition("/")[2], src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def remove(self, path: str) -> None:
        """No file, link or empty folder any more; nothing where none is.

        Raises:
            OSError: what the kernel refuses, ENOTEMPTY among it.
        """
        try:
            with self.folder(path) as (folder, name):
                _remove(folder, name)
                os.fsync(folder)
        except (FileNotFoundError, NotADirectoryError):
            return

    def remove_folder(self, path: str) -> None:
        """No folder any more, unless something else is there or something in it.

        Raises:
            OSError: what the kernel refuses.
        """
        try:
            with self.folder(path) as (folder, name):
                os.rmdir(name, dir_fd=folder)
                os.fsync(folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST):
                raise

    def make_folder(self, path: str, mode: int = 0o755) -> None:
        """A new folder.

        Raises:
            OSError: it is there already, or the kernel refuses.
        """
        with self.folder(path) as (folder, name):
            os.mkdir(name, mode, dir_fd=folder)
            os.chmod(name, mode, dir_fd=folder)  # whatever the umask
            os.fsync(folder)

    def flush(self, path: str) -> None:
        """What stands in the folder of ``path`` is on the disk when this returns."""
        with self.folder(path) as (folder, _):
            os.fsync(folder)

    @contextmanager
    def folder(self, path: str) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that holds ``path``, and the name in it.

        Raises:
            OSError: the folder is not there.
        """
        above, _, name = path.rstrip("/").rpartition("/")
        with self._inside.reach(above or "/") as place:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(place.name or ".", flags, dir_fd=place.folder)
        try:
            yield descriptor, name
        finally:
            os.close(descriptor)


def _look(folder: int, name: str) -> Node:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    mode, uid, gid, time = stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_mtime_ns
    if stat.S_ISLNK(found.st_mode):
        return Node("link", "", os.readlink(name, dir_fd=folder), 0, uid, gid, time)
    if stat.S_ISDIR(found.st_mode):
        return Node("folder", "", "", mode, uid, gid, time)
    if not stat.S_ISREG(found.st_mode):
        return Node("other", "", "", mode, uid, gid, time)
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    try:
        digest = hashlib.sha256()
        while True:
            piece = os.read(file, 1 << 16)
            if not piece:
                break
            digest.update(piece)
        return Node("file", digest.hexdigest(), "", mode, uid, gid, time, _attributes(file))
    finally:
        os.close(file)


def _attributes(file: int) -> dict[str, str] | None:
    found = {}
    try:
        for name in os.listxattr(file):
            found[name] = os.getxattr(file, name).hex()
    except OSError:  # a file system without them, or one that only root may see
        pass
    return found or None


def _fill(file: int, content: bytes, like: Node) -> None:
    """All of a new file, its mode last: one that has it is whole."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
    if (like.uid, like.gid) != (os.geteuid(), os.getegid()):
        os.fchown(file, like.uid, like.gid)
    for name, value in (like.attributes or {}).items():
        try:
            os.setxattr(file, name, bytes.fromhex(value))
        except OSError as error:  # the kernel sets some of them itself
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
                raise
    if like.mtime_ns is not None:
        os.utime(file, ns=(like.mtime_ns, like.mtime_ns))
    os.fchmod(file, like.mode)
    os.fsync(file)


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        os.rmdir(name, dir_fd=folder)
