"""The dead man's switch: a process that takes a transaction back where nobody says that the machine is still reachable.

It is started before anything changes, in a session of its own, so that neither the end of a connection nor that of the
agent ends it: an agent that was killed half-way is cleaned up after as well.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable

from memfit.agent.failure import Failure
from memfit.agent.journal import Entry, Journal

_STEP_S = 0.5
_LONGEST_S = 3600.0
_MOST_FILES = 4096
_PATIENCE_S = 5.0
_MOST_MISSED = 3
_CONFIRMED = "confirmed"


def watch(journal: Journal, id: str, most_s: float, take_back: Callable[[], None]) -> int:
    """Leave a process that calls ``take_back`` unless ``confirm`` is called within ``most_s`` of the last change.

    Returns:
        Its id.

    Raises:
        OSError: no process can be made.
    """
    told, tell = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            _leave(tell, lambda: _wait(journal, id, most_s, take_back))
        _, status = os.waitpid(child, 0)
        if status:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return int(os.read(told, 20))
    finally:
        os.close(told)
        os.close(tell)


def confirm(journal: Journal, id: str) -> None:
    """Say that the machine is still reachable.

    Raises:
        Failure: the transaction is not applied any more.
        OSError: it cannot be noted.
    """
    # with the lock: a watcher that took it first takes back, one that comes later finds the note
    with journal.lock(_PATIENCE_S):
        entry = journal.find(id)
        if entry.state != "applied":
            raise Failure("apply", f"{id} was taken back already: nobody confirmed it in time")
        journal.note(entry, _CONFIRMED, {"at": time.time()})


def is_confirmed(journal: Journal, entry: Entry) -> bool:
    """Whether somebody said so."""
    return bool(journal.noted(entry, _CONFIRMED))


def _wait(journal: Journal, id: str, most_s: float, take_back: Callable[[], None]) -> None:
    end = time.monotonic() + _LONGEST_S
    applied: float | None = None
    missed = 0
    while time.monotonic() < end:
        time.sleep(_STEP_S)
        try:
            entry = journal.find(id)  # without the lock, which others would find held
            if entry.state in ("staging", "open"):
                with journal.lock():
                    entry = journal.find(id)
            if entry.state in ("undone", "undoing") or is_confirmed(journal, entry):
                return
            if entry.state == "applied":
                applied = applied or time.monotonic()
                if time.monotonic() - applied < most_s:
                    continue
            # not confirmed; or whoever made it is dead, since the lock was free
            take_back()
            return
        except Failure as failure:
            if failure.kind == "busy":
                continue  # it is still being applied, or another one is at work
            # while it is renamed it may be seen under no name; what stays away was never begun, or is forgotten
            missed += 1
            if missed > _MOST_MISSED:
                return  # what is left stands in the journal, for status to say


def _leave(tell: int, work: Callable[[], None]) -> None:
    """In a child: a child of its own does the work, which belongs to nobody, and is waited for by no one."""
    status = 1
    try:
        os.setsid()
        grandchild = os.fork()
        if grandchild == 0:
            _detach()
            work()
        else:
            os.write(tell, str(grandchild).encode())
        status = 0
    finally:
        os._exit(status)


def _detach() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(nothing, file)
    os.closerange(3, _MOST_FILES)  # the lock among them, which would stay held
    os.chdir("/")
