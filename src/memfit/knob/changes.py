"""What a knob changes, as the agent takes it (``memfit.agent.steps``): one class a kind, and the JSON of each."""

from __future__ import annotations

from typing import Any

import msgspec


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How a file of a boot loader is tried: one boot with it, which the machine confirms itself or falls back from.

    Attributes:
        fallback: what the file holds from that boot on until it is confirmed.
        original: the label that is booted then.
        expects: words of the command line that show that it was booted; None where a word must not be there.
    """

    fallback: bytes
    original: str
    expects: dict[str, str | None]


class MadeTrial(msgspec.Struct, frozen=True, kw_only=True):
    """How a boot loader's file that a program makes is tried: what stood there before is fallen back to.

    Attributes:
        path: of the file, one of those that the program touches.
        sources: files it is made from that change with it: they go with it, or the next run would undo the fall-back.
        expects: as those of ``Trial``.
    """

    path: str
    sources: tuple[str, ...]
    expects: dict[str, str | None]


class FileChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """The whole content of a file.

    Attributes:
        mode: permissions; those that it has, or 0644, where None.
        expects: digest (SHA-256) of the content that this one was made from, so that nobody's edit is lost.
        trial: it takes effect at the next boot, and lasts only where that is confirmed (``memfit.agent.boot``).
    """

    path: str
    content: bytes
    mode: int | None = None
    expects: str | None = None
    trial: Trial | None = None
    why: str = ""


class LinkChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="link"):
    """A symbolic link; a unit is masked by one to ``/dev/null``."""

    path: str
    target: str
    why: str = ""


class RemoveChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="remove"):
    """No file or link any more."""

    path: str
    why: str = ""


class UnitChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="unit"):
    """A unit of systemd started or stopped now; nothing on an image."""

    unit: str
    active: bool
    why: str = ""


class ValueChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="value"):
    """A value of the running kernel; nothing on an image."""

    path: str
    text: str
    why: str = ""


class SpaceChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="space"):
    """A new file of this many bytes that root alone may read, with room on the disk for all of it; nothing on an image.

    What it holds is nobody's business: a later program writes it, and undo removes it whatever that was.
    """

    path: str
    bytes: int
    why: str = ""


class RunChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """A program that does it, and what takes it back; nothing on an image.

    Attributes:
        do, undo: words of the command lines; empty does nothing.
        touches: files that it writes. Where ``do`` and ``undo`` are the same (it makes them anew from others), they are
            put back as they were, byte for byte, and ``undo`` runs only where somebody else made them anew since.
        lasting: what it does outlives a boot, so that taking it back after one needs the program too.
        trial: a file that it makes takes effect at the next boot, and lasts only where that is confirmed.
    """

    do: tuple[str, ...]
    undo: tuple[str, ...]
    touches: tuple[str, ...] = ()
    lasting: bool = False
    trial: MadeTrial | None = None
    why: str = ""


Change = FileChange | LinkChange | RemoveChange | UnitChange | ValueChange | SpaceChange | RunChange


def as_request(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    """For the agent: objects of JSON, contents in base64."""
    found: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(changes))  # lists, and no tuples
    return found
