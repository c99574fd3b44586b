"""Why the agent did not do something, so that it survives the way back as JSON."""

from __future__ import annotations

import errno
import os
from typing import Any


class Failure(Exception):
    """One message that names the file, what to do about it, and the kind of failure that memfit raises for it.

    ``kind``: ``refused`` (asked for something that is not done), ``apply`` (nothing was changed), ``drift`` (somebody
    else changed it since), ``undo`` (something is left half-way: the journal says what), ``busy``, ``root``.
    """

    def __init__(self, kind: str, message: str, *, hint: str = "", diff: str = "", journal: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.diff = diff
        self.journal = journal

    def as_json(self) -> dict[str, Any]:
        """For an answer."""
        return {name: getattr(self, name) for name in ("kind", "message", "hint", "diff", "journal")}


_HINTS = {
    errno.ENOSPC: "free some space there: nothing was changed",
    errno.EDQUOT: "free some space there: nothing was changed",
    errno.EROFS: "it is mounted read-only: mount it writable, or name the right root",
    errno.EACCES: "run as root: sudo memfit, or --sudo over SSH",
    errno.EPERM: "run as root: sudo memfit, or --sudo over SSH",
}


def of_system(path: str, error: OSError) -> Failure:
    """A refusal of the kernel as a failure that names the path."""
    why = os.strerror(error.errno) if error.errno else str(error)
    kind = "root" if error.errno in (errno.EACCES, errno.EPERM) and os.geteuid() != 0 else "apply"
    return Failure(kind, f"{path}: {why}", hint=_HINTS.get(error.errno or 0, ""))


def as_failure(error: Exception, path: str) -> Failure:
    """A failure as it is; a refusal of the kernel as one that names the path."""
    return error if isinstance(error, Failure) else of_system(path, error)  # type: ignore[arg-type]
