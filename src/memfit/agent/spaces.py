"""Files that only take room, such as one to swap to: made whole beside the target, one rename, removed last of all.

What they hold is never read, kept or compared: whoever uses such a file writes into it all the time. It is ours where
it is the very file that was made, by its number, which the journal knows before it gets its name. Undo removes it after
whatever uses it was ended: the kernel lets no file go that it swaps to.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

from memfit.agent import theirs
from memfit.agent.failure import Failure, of_system
from memfit.agent.room import MODE, is_so, look
from memfit.agent.steps import beside

if TYPE_CHECKING:
    from memfit.agent.journal import Entry, Journal
    from memfit.agent.tree import Tree

_BLOCK_BYTES = 512
"""Of ``st_blocks``, whatever the file system's own are (stat(2))."""


class Spaces:
    """Steps of kind ``space``; other kinds are none of its business and pass."""

    def __init__(self, tree: Tree, journal: Journal) -> None:
        self._tree = tree
        self._journal = journal

    def stage(self, step: dict[str, Any], entry: Entry) -> None:
        """A file with all its room, under its name beside.

        Raises:
            Failure: there is no room after all, or the kernel refuses.
        """
        if step["kind"] != "space":
            return
        name = beside(step, entry.id, "after")
        try:
            self._tree.remove(name)
            with self._tree.folder(name) as (folder, last):
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                file = os.open(last, flags, MODE, dir_fd=folder)
                try:
                    os.fchmod(file, MODE)  # whatever the umask
                    os.posix_fallocate(file, 0, step["bytes"])
                    os.fsync(file)
                    self._journal.note(entry, _note(step), {"number": os.fstat(file).st_ino})
                except BaseException:
                    os.unlink(last, dir_fd=folder)
                    raise
                finally:
                    os.close(file)
            self._tree.flush(name)
        except OSError as error:
            raise of_system(step["path"], error) from error

    def put(self, step: dict[str, Any], entry: Entry) -> None:
        """By one rename.

        Raises:
            Failure: somebody made something of that name meanwhile, or the kernel refuses.
        """
        if step["kind"] != "space":
            return
        try:
            if look(self._tree, step["path"]) is not None:
                raise Failure("drift", f"{step['path']}: somebody made it this very moment")
            self._tree.rename(beside(step, entry.id, "after"), step["path"])
        except OSError as error:
            raise of_system(step["path"], error) from error

    def verify(self, step: dict[str, Any]) -> None:
        """Look again, and that no part of it is a hole.

        Raises:
            Failure: it is not so.
        """
        if step["kind"] != "space":
            return
        found = look(self._tree, step["path"])
        if found is None or not is_so(found, step["bytes"]):
            raise Failure("apply", f"{step['path']}: it is not what was made")
        if found.st_blocks * _BLOCK_BYTES < step["bytes"]:
            raise Failure("apply", f"{step['path']}: this file system gave it no room of its own")

    def check_drift(self, step: dict[str, Any], entry: Entry) -> None:
        """Nothing where no such file is there, or ours.

        Raises:
            Failure: somebody put something else in its place.
        """
        if step["kind"] != "space":
            return
        found = self._look(step)
        # one that never came to its end may not have come to the rename, and what has the name then is none of ours
        if found is not None and entry.state != "open" and not self._is_ours(found, step, entry):
            size, mode = found.st_size, stat.S_IMODE(found.st_mode)
            raise Failure(
                "drift",
                f"{step['path']}: somebody changed it since {entry.id} was applied",
                hint="remove it by hand, or keep it",
                diff=f"-{step['bytes']} bytes, mode {MODE:04o}\n+{size} bytes, mode {mode:04o}, another file",
                journal=entry.path,
            )

    def sweep(self, step: dict[str, Any], entry: Entry) -> None:
        """No name beside any more.

        Raises:
            OSError: the kernel refuses.
        """
        if step["kind"] == "space":
            self._tree.remove(beside(step, entry.id, "after"))

    def free(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """No such file any more; what was agreed to stay stays.

        Raises:
            Failure: somebody put something else there, or the kernel refuses: it is in use.
        """
        left = theirs.agreed(self._journal, entry)
        for step in (step for step in reversed(steps) if step["kind"] == "space" and step["number"] not in left):
            self.check_drift(step, entry)
            found = self._look(step)
            if found is None or not self._is_ours(found, step, entry):
                continue
            try:
                self._tree.remove(step["path"])
            except OSError as error:
                busy = error.errno in (errno.EPERM, errno.ETXTBSY, errno.EBUSY)
                hint = f"something still uses it: swapoff {step['path']}" if busy else ""
                failure = of_system(step["path"], error)
                raise Failure(failure.kind, failure.message, hint=hint or failure.hint) from error

    def _look(self, step: dict[str, Any]) -> os.stat_result | None:
        try:
            return look(self._tree, step["path"])
        except OSError as error:
            raise of_system(step["path"], error) from error

    def _is_ours(self, found: os.stat_result, step: dict[str, Any], entry: Entry) -> bool:
        """Whether it is the file that this transaction made; one without a note is of an earlier memfit."""
        number = self._journal.noted(entry, _note(step)).get("number", found.st_ino)
        return is_so(found, step["bytes"]) and found.st_ino == number


def _note(step: dict[str, Any]) -> str:
    """The name of the note that says which file was made."""
    return f"space-{step['number']}"
