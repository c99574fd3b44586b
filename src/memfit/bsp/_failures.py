"""What the kernel or the agent refuses, said of a tree: the agent's words are about a machine, from its top on."""

from __future__ import annotations

from pathlib import Path

from memfit.agent.failure import Failure
from memfit.errors import ApplyError, Drift, MemfitError, NeedsRoot, ProbeError, UndoFailed

_WORDS = (
    ("memfit status", "memfit bsp diff"),
    ("run memfit undo", "run memfit bsp undo"),
    ("changing this machine", "changing this tree"),
    ("or name the right root", "or copy the tree to where you may write"),
    # root was refused: anybody else is told to become root
    ("run as root: sudo memfit, or --sudo over SSH", "root may not either: see lsattr, or how its disk is mounted"),
)


def unreadable(place: object, error: OSError) -> ProbeError:
    """What the kernel refuses to show."""
    what = f"{place}: {error.strerror or error}"
    if isinstance(error, PermissionError):
        return NeedsRoot(what, hint="run again with sudo, or copy the tree to your own folder")
    return ProbeError(what, hint="take it from the BSP again")


def as_error(failure: Failure, root: Path, home: str) -> MemfitError:
    """A failure as memfit raises it; ``home`` is where the journal lies in the tree."""
    journal = f"{root}{failure.journal}" if failure.journal else ""

    def told(words: str) -> str:
        for theirs, ours in _WORDS:
            words = words.replace(theirs, ours)
        return words.replace("the journal has", f"{journal} has" if journal else "the journal has")

    message = told(failure.message).replace(f" {home}/", f" {root}{home}/")
    message = f"{root}{message}" if message.startswith("/") else message
    hint = told(failure.hint).replace(f" {home}/", f" {root}{home}/")
    if failure.kind == "root":
        return NeedsRoot(
            message, hint="you may not write there: run again with sudo, or copy the tree to your own folder"
        )
    if failure.kind == "drift":
        return Drift(message, hint=hint or None, journal=journal, diff=failure.diff)
    if failure.kind == "undo":
        return UndoFailed(message, hint=hint or "mend that, and run memfit bsp undo again", journal=journal)
    return ApplyError(message, hint=hint or "memfit bsp diff shows what is applied", journal=journal)
