"""A file brought to another machine by ssh or onto a mounted drive: resumed, checked there, named when complete."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from memfit.errors import ProbeError, UsageError
from memfit.host._drive import PART, Drive, Progress, digest_of
from memfit.host._far_folder import FarFolder
from memfit.host._target import Target, parse_target
from memfit.host.links import LINKS
from memfit.units import format_bytes


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is there now.

    Attributes:
        path: there.
        bytes, sha256: of it; the checksum was computed at both ends.
        sent_bytes: of this call: less than ``bytes`` where an earlier one had brought a part, 0 where it was there.
        seconds: of the transfer.
    """

    path: str
    bytes: int
    sha256: str
    sent_bytes: int
    seconds: float


class LinkTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is still to be sent takes over a link, by its published speed."""

    link: str
    bytes_per_s: int
    seconds: float


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A model sent to a device or a drive, or what that would take.

    Attributes:
        model: the file that was named.
        place: where to.
        files: sent; empty where it was only planned.
        bytes: of all files.
        links: how long they take by published speeds of links.
        imported: the name under which Ollama there knows it, empty where that was not asked for.
    """

    model: str
    place: str
    files: tuple[Sent, ...]
    bytes: int
    links: tuple[LinkTime, ...]
    imported: str = ""
    schema_version: int = 1


def link_times(size_bytes: int) -> tuple[LinkTime, ...]:
    """Every known link with its time for so many bytes."""
    return tuple(
        LinkTime(link=link.name, bytes_per_s=link.bytes_per_s, seconds=round(link.seconds(size_bytes), 1))
        for link in LINKS
    )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where to: a folder of a machine that ssh reaches, or of this one (a mounted drive)."""

    folder: str
    target: Target | None = None


def parse_place(text: str) -> Place:
    """``ssh://[user@]host[:port]/folder``, or a folder of this machine.

    Raises:
        UsageError: a machine without a folder, or no machine.
    """
    if not text.startswith("ssh://"):
        if not text:
            raise UsageError("a place without a name", hint="write ssh://device/opt/models, or /mnt/drive")
        return Place(folder=text)
    machine, slash, folder = text.removeprefix("ssh://").partition("/")
    if not slash or not folder.strip("/"):
        raise UsageError(
            f"{text!r} names no folder there", hint="write ssh://device/opt/models, or ssh://device/~/models"
        )
    # /~/models is the home's, as curl and git write it
    path = folder.removeprefix("~/") if folder.startswith("~/") else f"/{folder}"
    return Place(folder=path.rstrip("/"), target=parse_target(f"ssh://{machine}"))


def send(
    file: Path,
    place: Place,
    *,
    progress: Progress | None = None,
    name: str | None = None,
    client: Sequence[str] = ("ssh",),
    overwrite: bool = False,
) -> Sent:
    """Bring ``file`` there under its own name, or under ``name``.

    What breaks leaves ``NAME.part`` there, and the next call goes on from it where its beginning is that of the file.

    Args:
        file: to be sent.
        place: where to.
        name: what it is called there.
        progress: called with the bytes that are there and the total.
        client: the ssh program and options of one's own.
        overwrite: replace a file of that name that has another content.

    Raises:
        ProbeError: the machine or the drive cannot be reached, has no space, or holds another file of that name.
    """
    other_end = _end_of(place, client)
    name = name or file.name
    size = file.stat().st_size
    began = time.monotonic()
    there, part, free = other_end.look(name)
    digest = digest_of(file, size)
    if there == size and other_end.digest(name, size) == digest:
        return Sent(path=other_end.shown(name), bytes=size, sha256=digest, sent_bytes=0, seconds=0.0)
    if there is not None and not overwrite:
        raise ProbeError(
            f"{other_end.shown(name)} is there already, and is another file", hint="--overwrite replaces it"
        )
    if part and (part > size or other_end.digest(name + PART, part) != digest_of(file, part)):
        part = 0
    if size - part > free:
        raise ProbeError(
            f"{other_end.shown('')}: {format_bytes(size - part)} are still to come, and {format_bytes(free)} are free",
            hint="free some space there, or name another folder; what is there is kept",
        )
    sent = other_end.append(file, name + PART, part, size, progress)
    if other_end.digest(name + PART, size) != digest:
        other_end.remove(name + PART)
        raise ProbeError(
            f"{other_end.shown(name)}: what arrived has another checksum than what was sent ({digest[:12]}…)",
            hint="it is removed there; try again, and suspect the drive, the cable or the memory if it stays so",
        )
    other_end.name(name + PART, name)
    taken_s = round(time.monotonic() - began, 3)
    return Sent(path=other_end.shown(name), bytes=size, sha256=digest, sent_bytes=sent, seconds=taken_s)


def _end_of(place: Place, client: Sequence[str]) -> Drive | FarFolder:
    if place.target is None:
        return Drive(Path(place.folder))
    return FarFolder(place.target, place.folder, client)


def import_into_ollama(place: Place, file: str, name: str, *, client: Sequence[str] = ("ssh",)) -> None:
    """Let the Ollama of that machine know a GGUF file that lies there, by a Modelfile beside it.

    Raises:
        ProbeError: it has no Ollama, or Ollama refuses.
        UsageError: a drive is no machine.
    """
    if place.target is None:
        raise UsageError("--ollama needs a machine to run on", hint="name it: ssh://device/folder")
    FarFolder(place.target, place.folder, client).create(file, name)
