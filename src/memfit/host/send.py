"""A file brought to another machine by ssh or onto a mounted drive: resumed, checked there, named when complete."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from memfit.errors import ProbeError, UsageError
from memfit.host._complaint import before_start
from memfit.host._target import Target, parse_target
from memfit.host.links import LINKS
from memfit.units import format_bytes

_PIECE = 1 << 20
PART = ".part"
_OPTIONS = (
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "RemoteCommand=none"),
    *("-o", "LogLevel=ERROR"),
)

Progress = Callable[[int, int], None]


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
    client: Sequence[str] = ("ssh",),
    overwrite: bool = False,
) -> Sent:
    """Bring ``file`` there under its own name.

    What breaks leaves ``NAME.part`` there, and the next call goes on from it where its beginning is that of the file.

    Args:
        file: to be sent.
        place: where to.
        progress: called with the bytes that are there and the total.
        client: the ssh program and options of one's own.
        overwrite: replace a file of that name that has another content.

    Raises:
        ProbeError: the machine or the drive cannot be reached, has no space, or holds another file of that name.
    """
    other_end = _Drive(Path(place.folder)) if place.target is None else _Machine(place, client)
    name = file.name
    size = file.stat().st_size
    began = time.monotonic()
    there, part, free = other_end.look(name)
    digest = _digest(file, size)
    if there == size and other_end.digest(name, size) == digest:
        return Sent(path=other_end.shown(name), bytes=size, sha256=digest, sent_bytes=0, seconds=0.0)
    if there is not None and not overwrite:
        raise ProbeError(
            f"{other_end.shown(name)} is there already, and is another file", hint="--overwrite replaces it"
        )
    if part and (part > size or other_end.digest(name + PART, part) != _digest(file, part)):
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


def import_into_ollama(place: Place, file: str, name: str, *, client: Sequence[str] = ("ssh",)) -> None:
    """Let the Ollama of that machine know a GGUF file that lies there, by a Modelfile beside it.

    Raises:
        ProbeError: it has no Ollama, or Ollama refuses.
        UsageError: a drive is no machine.
    """
    if place.target is None:
        raise UsageError("--ollama needs a machine to run on", hint="name it: ssh://device/folder")
    _Machine(place, client).create(file, name)


def _digest(file: Path, count: int) -> str:
    state = hashlib.sha256()
    with file.open("rb") as data:
        while count and (piece := data.read(min(count, _PIECE))):
            state.update(piece)
            count -= len(piece)
    return state.hexdigest()


class _Drive:
    """A folder of this machine, such as a drive that is then carried to the board."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shown(self, name: str) -> str:
        return str(self._folder / name)

    def look(self, name: str) -> tuple[int | None, int, int]:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as failure:
            raise ProbeError(
                f"{self._folder}: {failure.strerror}", hint="is the drive mounted? memfit makes no folder outside of it"
            ) from failure
        return self._size(name), self._size(name + PART) or 0, free

    def digest(self, name: str, count: int) -> str:
        path = self._folder / name
        with suppress(OSError), path.open("rb") as file:  # what was written is read from the drive, not from memory
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return _digest(path, count)

    def append(self, file: Path, name: str, at: int, size: int, progress: Progress | None) -> int:
        path = self._folder / name
        sent = 0
        try:
            with file.open("rb") as source, path.open("r+b" if at else "wb") as drive:
                source.seek(at)
                drive.seek(at)
                drive.truncate()
                while piece := source.read(_PIECE):
                    drive.write(piece)
                    sent += len(piece)
                    if progress is not None:
                        progress(at + sent, size)
                drive.flush()
                os.fsync(drive.fileno())
        except OSError as failure:
            raise ProbeError(f"{path}: {failure.strerror}", hint="is there space, and is it writable?") from failure
        return sent

    def remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()

    def name(self, name: str, final: str) -> None:
        try:
            (self._folder / name).replace(self._folder / final)
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as failure:
            raise ProbeError(f"{self._folder / final}: {failure.strerror}") from failure

    def _size(self, name: str) -> int | None:
        try:
            return (self._folder / name).stat().st_size
        except OSError:
            return None


_LOOK = """mkdir -p -- "$1" && cd -- "$1" || exit 73
for f in "$2" "$2.part"; do if [ -f "$f" ]; then wc -c < "$f"; else echo -; fi; done
df -Pk . | awk 'NR == 2 { print $4 }'"""
_SUM = 'cd -- "$1" && head -c "$3" -- "$2" | sha256sum'
_TAKE = 'cd -- "$1" && if [ "$3" = 0 ]; then cat > "$2"; else cat >> "$2"; fi && sync -- "$2" 2>/dev/null || sync'
_CUT = 'cd -- "$1" && if [ -f "$2" ]; then head -c "$3" -- "$2" > "$2.cut" && mv -- "$2.cut" "$2"; fi'
_REMOVE = 'cd -- "$1" && rm -f -- "$2"'
_CREATE = (
    """cd -- "$1" && printf 'FROM %s/%s\\n' "$PWD" "$2" > "$2.Modelfile" && ollama create "$3" -f "$2.Modelfile\""""
)
_NAME = 'cd -- "$1" && mv -- "$2" "$3" && sync'


class _Machine:
    """A folder of a machine that ssh reaches, with a POSIX shell and coreutils or busybox."""

    def __init__(self, place: Place, client: Sequence[str]) -> None:
        assert place.target is not None
        self._target = place.target
        self._folder = place.folder
        self._client = tuple(client)

    def shown(self, name: str) -> str:
        return f"{self._target}:{self._folder}/{name}".rstrip("/")

    def look(self, name: str) -> tuple[int | None, int, int]:
        words = self._ask(_LOOK, name).split()
        if len(words) != 3 or not words[2].isdigit():
            raise ProbeError(f"{self._target}: did not tell what lies in {self._folder}", hint="has it a POSIX shell?")
        there, part = (int(word) if word.isdigit() else None for word in words[:2])
        return there, part or 0, 1024 * int(words[2])

    def digest(self, name: str, count: int) -> str:
        return (self._ask(_SUM, name, str(count)).split() or [""])[0]

    def append(self, file: Path, name: str, at: int, size: int, progress: Progress | None) -> int:
        if at:
            self._ask(_CUT, name, str(at))
        sent = 0
        with self._start(_TAKE, name, str(at), stdin=subprocess.PIPE) as program:
            assert program.stdin is not None
            try:
                with file.open("rb") as source:
                    source.seek(at)
                    while piece := source.read(_PIECE):
                        program.stdin.write(piece)
                        sent += len(piece)
                        if progress is not None:
                            progress(at + sent, size)
                program.stdin.close()
            except BrokenPipeError:
                pass  # why, its exit status and its complaint tell
            except BaseException:
                program.kill()
                raise
            self._end(program)
        return sent

    def remove(self, name: str) -> None:
        self._ask(_REMOVE, name)

    def name(self, name: str, final: str) -> None:
        self._ask(_NAME, name, final)

    def create(self, file: str, name: str) -> None:
        self._ask(_CREATE, file, name)

    def _ask(self, script: str, *words: str) -> str:
        with self._start(script, *words, stdin=subprocess.DEVNULL) as program:
            said, complaint = program.communicate()
        self._check(program.returncode, complaint)
        return said.decode("utf-8", "replace")

    def _start(self, script: str, *words: str, stdin: int) -> subprocess.Popen[bytes]:
        command = " ".join(shlex.quote(word) for word in ("sh", "-c", script, "_", self._folder, *words))
        started = [*self._client, *_OPTIONS, *self._target.words(), command]
        try:
            return subprocess.Popen(started, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as failure:
            raise ProbeError(
                f"{self._client[0]}: {failure.strerror}", hint="install OpenSSH's client (openssh-client)"
            ) from failure

    def _end(self, program: subprocess.Popen[bytes]) -> None:
        assert program.stderr is not None
        complaint = program.stderr.read()
        self._check(program.wait(), complaint)

    def _check(self, code: int, complaint: bytes) -> None:
        if code == 0:
            return
        said = complaint.decode("utf-8", "replace").strip()
        if code == 255:
            raise before_start(self._target, code, said, b"")
        last = re.sub(r"\s+", " ", said.splitlines()[-1])[:200] if said else f"exit status {code}"
        raise ProbeError(
            f"{self._target}: {self._folder}: {last}", hint="may your user write there, and is there space?"
        )
