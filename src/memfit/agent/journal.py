"""The write-ahead journal: one folder a transaction, whose name ends in its state.

::

    0007-1f3c.staging   being prepared: nothing was changed yet, only names beside the targets     → thrown away
    0007-1f3c.open      changes are being made                                                     → taken back
    0007-1f3c.applied   all of them are made                                                       → stays
    0007-1f3c.undoing   changes are being taken back                                               → taken back
    0007-1f3c.undone    everything is as it was                                                    → stays, as history

A state changes by one rename, flushed. So there is no record to append to while things change, none that can be torn,
and recovery needs nothing but what stands there: the arrows say what it does. ``plan.json``, as every note beside it,
begins with the digest of the rest; what files held before lies beside it, by number. Order is that of the numbers,
never of a clock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from memfit.agent.failure import Failure, of_system
from memfit.agent.tree import Node, Tree

HOME = "/var/lib/memfit"
JOURNAL = f"{HOME}/journal"
SCHEMA_VERSION = 1
STATES = ("staging", "open", "applied", "undoing", "undone")
_NAME = re.compile(r"(\d{4,})-([0-9a-f]{4})\.(%s)" % "|".join(STATES))  # noqa: UP031  braces
_KEPT_UNDONE = 20
_STEP_S = 0.05
_OURS = Node("file", mode=0o600)


class Entry(NamedTuple):
    """One transaction in the journal."""

    number: int
    id: str
    state: str
    journal: str = JOURNAL

    @property
    def path(self) -> str:
        """Its folder."""
        return f"{self.journal}/{self.id}.{self.state}"


class Journal:
    """The journal of one machine, image or tree; ``home`` is memfit's folder there."""

    def __init__(self, tree: Tree, home: str = HOME) -> None:
        self._tree = tree
        self._home, self._folder = home, f"{home}/journal"

    @contextmanager
    def lock(self, patience_s: float = 0.0) -> Iterator[None]:
        """Only one memfit changes a machine at a time; another one is given ``patience_s`` to come to its end.

        Raises:
            Failure: another one is at work, or the journal cannot be written.
        """
        try:
            self._make_home()
            with self._tree.folder(f"{self._folder}/lock") as (folder, name):
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                file = os.open(name, flags, 0o600, dir_fd=folder)
        except OSError as error:
            raise of_system(self._folder, error) from error
        try:
            _lock(file, f"{self._folder}/lock", patience_s)
            yield
        finally:
            os.close(file)

    def entries(self) -> tuple[Entry, ...]:
        """All transactions, the oldest first.

        Raises:
            Failure: the journal may not be read, which is not to say that it is empty.
        """
        found = []
        try:
            names = self._tree.listing(self._folder)
        except OSError as error:
            raise of_system(self._folder, error) from error
        for name in names:
            matched = _NAME.fullmatch(name)
            if matched is not None:
                found.append(Entry(int(matched[1]), f"{matched[1]}-{matched[2]}", matched[3], self._folder))
        return tuple(sorted(found))

    def find(self, id: str) -> Entry:
        """One transaction.

        Raises:
            Failure: there is none of that name.
        """
        entries = self.entries()
        for entry in entries:
            if entry.id == id:
                return entry
        known = ", ".join(entry.id for entry in entries if entry.state == "applied") or "none"
        raise Failure("refused", f"no receipt {id} in {self._folder}", hint=f"applied here: {known}")

    def begin(self, plan: dict[str, Any], contents: dict[int, bytes]) -> Entry:
        """A new transaction in state ``staging``, flushed: its plan, and what files held before by number of step.

        Raises:
            OSError: the disk is full, or worse; what was written is thrown away by recovery.
        """
        last = max((entry.number for entry in self.entries()), default=0)
        entry = Entry(last + 1, f"{last + 1:04d}-{os.urandom(2).hex()}", "staging", self._folder)
        plan = {**plan, "id": entry.id, "schema_version": SCHEMA_VERSION}
        self._tree.make_folder(entry.path, 0o700)
        for number, content in contents.items():
            self._tree.write(f"{entry.path}/before-{number}", content, _ours())
        self._tree.write(f"{entry.path}/plan.json", _sealed(plan), _ours())
        self._tree.flush(f"{entry.path}/plan.json")
        self._tree.flush(entry.path)
        return entry

    def plan(self, entry: Entry) -> dict[str, Any]:
        """What a transaction does.

        Raises:
            Failure: the file is damaged.
        """
        path = f"{entry.path}/plan.json"
        try:
            content = self._tree.read(path)
        except OSError as error:
            failure = of_system(path, error)
            hint = failure.hint or _by_hand(entry)
            raise Failure(failure.kind, failure.message, hint=hint, journal=entry.path) from error
        plan = _unsealed(content)
        if plan.get("id") != entry.id:
            why = "it is not what memfit wrote: somebody edited it, or it was cut off"
            raise Failure("undo", f"{path}: {why}", hint=_by_hand(entry), journal=entry.path)
        if plan["schema_version"] != SCHEMA_VERSION:
            raise Failure("undo", f"{path}: another memfit wrote it", hint="undo it with that one", journal=entry.path)
        return plan

    def before(self, entry: Entry, number: int, sha256: str) -> bytes:
        """What a file held before.

        Raises:
            Failure: it is damaged.
        """
        path = f"{entry.path}/before-{number}"
        try:
            content = self._tree.read(path)
        except OSError as error:
            raise of_system(path, error) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Failure("undo", f"{path}: it is not what memfit wrote", journal=entry.path)
        return content

    def note(self, entry: Entry, name: str, value: dict[str, Any]) -> None:
        """Something to remember beside a plan, such as what was measured: replaced as a whole.

        Raises:
            OSError: it could not be written; the old one stands.
        """
        path = f"{entry.path}/{name}.json"
        self._tree.write(path + ".new", _sealed(value), _ours())
        self._tree.rename(path + ".new", path)

    def noted(self, entry: Entry, name: str) -> dict[str, Any]:
        """What was noted; empty where nothing was, or not what memfit wrote."""
        try:
            return _unsealed(self._tree.read(f"{entry.path}/{name}.json"))
        except OSError:
            return {}

    def has_note(self, entry: Entry, name: str) -> bool:
        """Whether something was noted, whatever became of it since.

        Raises:
            OSError: nobody may look.
        """
        return self._tree.node(f"{entry.path}/{name}.json").kind != "absent"

    def forget(self, entry: Entry, name: str) -> None:
        """No such note any more.

        Raises:
            OSError: it could not be removed.
        """
        self._tree.remove(f"{entry.path}/{name}.json")

    def move(self, entry: Entry, state: str) -> Entry:
        """The transaction in another state, on the disk when this returns.

        Raises:
            OSError: it could not be renamed.
        """
        moved = entry._replace(state=state)
        self._tree.rename(entry.path, moved.path)
        return moved

    def drop(self, entry: Entry) -> None:
        """Forget a transaction; without its plan it is none any more.

        Raises:
            OSError: it could not be removed.
        """
        for name in sorted(self._tree.names(entry.path), key=lambda name: name != "plan.json"):
            self._tree.remove(f"{entry.path}/{name}")
        self._tree.remove(entry.path)

    def prune(self) -> None:
        """Forget what was undone long ago, and the rest of what was being forgotten.

        Raises:
            OSError: it could not be removed.
        """
        undone = [entry for entry in self.entries() if entry.state == "undone"]
        for number, entry in enumerate(reversed(undone)):
            if number >= _KEPT_UNDONE or "plan.json" not in self._tree.names(entry.path):
                self.drop(entry)

    def _make_home(self) -> None:
        names = self._folder.strip("/").split("/")
        for path in ("/" + "/".join(names[:count]) for count in range(1, len(names) + 1)):
            if self._tree.node(self._tree.real(path)).kind == "absent":
                self._tree.make_folder(path, 0o700 if path in (self._home, self._folder) else 0o755)


def _lock(file: int, path: str, patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(_STEP_S)
                continue
            raise Failure(
                "busy",
                f"{path}: another memfit is changing this machine",
                hint="wait until it has ended; memfit status shows what it did",
            ) from None
        except OSError as error:
            raise of_system(path, error) from error


def _by_hand(entry: Entry) -> str:
    """What to do with a transaction whose plan nobody can read."""
    kept = f"what files held before lies beside it: {entry.path}/before-*"
    if entry.state not in ("open", "undoing"):
        return kept
    beside = f"or beside those files, as .*.memfit-{entry.id}-*"
    return f"{kept}, {beside}; put back what differs, then move {entry.path} away: every change waits for that"


def _ours() -> Node:
    return _OURS._replace(uid=os.geteuid(), gid=os.getegid())


def _sealed(value: dict[str, Any]) -> bytes:
    rest = json.dumps(value, indent=1, sort_keys=True).encode()
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def _unsealed(content: bytes) -> dict[str, Any]:
    """What was sealed; empty where somebody edited it, or it was cut off."""
    digest, _, rest = content.partition(b"\n")
    value: dict[str, Any] = json.loads(rest) if hashlib.sha256(rest).hexdigest().encode() == digest else {}
    return value
