"""Every failure memfit raises, drawn as the tree it is.

::

    MemfitError(message, *, hint)       exit 1
    ├ UsageError                        exit 2   UnknownName, UnitError
    ├ ProbeError  (path or command)     exit 3   NeedsRoot, UnsupportedDevice
    ├ ModelError  (file, offset)        exit 4   UnknownArchitecture, Truncated, Malformed, NotAModel, NotSized,
    │                                            Unreachable
    ├ ApplyError  (journal)             exit 5   Drift, UndoFailed
    └ MeasureError                      exit 6   EngineMissing, EngineFailed, Disagreement

"It does not fit" is an answer and not a failure: see ``Footprint.verdict`` (the CLI then exits 10).
Only ``cli`` catches ``MemfitError``.
"""

from __future__ import annotations

from collections.abc import Iterable

from memfit.nearest import nearest


class MemfitError(Exception):
    """A failure with one clear message and a hint that says what to do about it."""

    exit_code = 1
    # what to do about this kind of failure where nothing better is known
    usual_hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.usual_hint


class UsageError(MemfitError):
    """The caller asked for something that has no meaning."""

    exit_code = 2


# more names than this are no hint any more
_MOST_LISTED = 40
_FEW = 12


class UnknownName(UsageError):
    """A name that no catalog holds; the hint names the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        self.nearest = nearest(name, names)
        if self.nearest:
            hint = f"did you mean {' or '.join(self.nearest)}?"
            if len(names) <= _FEW:  # what looks near may be far from what is meant
                hint += f" Known: {', '.join(names)}"
        elif len(names) > _MOST_LISTED:
            hint = f"`memfit list {kind}s` shows the {len(names)} that are known"
        else:
            hint = f"known: {', '.join(names)}"
        super().__init__(f"unknown {kind}: {name!r}", hint=hint)
        self.kind = kind
        self.name = name


class UnitError(UsageError):
    """A quantity that cannot be read, or that can be read in two ways."""


class ProbeError(MemfitError):
    """A machine did not answer a question about itself."""

    exit_code = 3


class NeedsRoot(ProbeError):
    """Only root may read this."""


class UnsupportedDevice(ProbeError):
    """The machine is of a kind that memfit cannot read."""


class ModelError(MemfitError):
    """A model file that cannot be used: says which file and, where it makes sense, which byte."""

    exit_code = 4

    def __init__(
        self, message: str, *, file: str | None = None, offset: int | None = None, hint: str | None = None
    ) -> None:
        where = "" if file is None else f"{file}: " if offset is None else f"{file}, byte {offset}: "
        super().__init__(where + message, hint=hint)
        self.file = file
        self.offset = offset


class UnknownArchitecture(ModelError):
    """The file is sound, but no architecture file of memfit describes it."""


class Truncated(ModelError):
    """The file ends before what its header announces."""


class Malformed(ModelError):
    """The bytes contradict the format."""

    usual_hint = "the file is damaged, or the program that wrote it is at fault: download or convert it again"


class NotAModel(ModelError):
    """The file is something else: an LFS pointer, an archive, a web page."""


class Unreachable(ModelError):
    """A server that holds the file does not answer, or not to the end."""


class NotSized(ModelError):
    """A model known by name and published size alone: what its weights take can be told, its footprint cannot.

    ``weights_bytes`` is what they take at 4.5 bits each; None where nobody published how many there are.
    """

    def __init__(self, message: str, *, weights_bytes: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.weights_bytes = weights_bytes


class ApplyError(MemfitError):
    """A change could not be made: nothing changed, or all of it was taken back. ``journal`` is where that stands."""

    exit_code = 5

    def __init__(self, message: str, *, hint: str | None = None, journal: str = "") -> None:
        super().__init__(message, hint=hint)
        self.journal = journal


class Drift(ApplyError):
    """Somebody changed what memfit had changed; ``diff`` shows how, and nothing was done."""

    def __init__(self, message: str, *, hint: str | None = None, journal: str = "", diff: str = "") -> None:
        super().__init__(message, hint=hint, journal=journal)
        self.diff = diff


class UndoFailed(ApplyError):
    """Something could not be taken back; the journal keeps what it was, and undo goes on from there."""


class MeasureError(MemfitError):
    """A run or a question to an engine did not give a result."""

    exit_code = 6


class EngineMissing(MeasureError):
    """The engine that should answer is not installed."""


class EngineFailed(MeasureError):
    """The engine died, hung or refused; ``said`` is the end of what it said."""

    def __init__(self, message: str, *, hint: str | None = None, said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said


class Disagreement(MeasureError):
    """Formula and engine give different bytes for the same term."""
