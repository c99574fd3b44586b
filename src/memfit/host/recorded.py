"""A machine from a recording: ``FILE.tar.gz`` as ``memfit audit --record`` wrote it, or the same unpacked.

A recording holds ``meta.json`` (see ``Meta``) and the files below ``files/``. One made by hand needs no more than
``{"recording": 1, "name": "…"}`` and files: what is not there was not there.

An archive comes from somebody else. It is read in one pass that ends where the bounds of a recording end; nothing is
unpacked, and whatever is not a plain file or folder is refused: links stand in ``meta.json``.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from memfit.errors import ProbeError
from memfit.host._inside import Inside, kind_of
from memfit.host.records import Disk
from memfit.host.snapshot import Snapshot, SnapshotHost

RECORDING = 1
META, FILES = "meta.json", "files"
_MOST_META_BYTES = 16 << 20
_MOST_MEMBERS = 20_000  # a thousand processes are some 4,000
# What one machine's files may take (Manifest.most_bytes), meta.json, and for every file the blocks of its header
_MOST_BYTES = (64 << 20) + _MOST_META_BYTES + (32 << 20)
_HINT = "a recording is written by: memfit audit --record FILE.tar.gz"
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError, LookupError, RecursionError)


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """``meta.json``: all of a snapshot but the contents of its files.

    Attributes:
        recording: the version of this format.
        redacted: whether what identifies people and machines was replaced.
        files: sizes by path, so that a part that is missing is noticed; None where they were not counted.
        others: as in ``Snapshot``.
    """

    recording: int
    name: str
    taken: str = ""
    python: str = ""
    uid: int | None = None
    live: bool = True
    redacted: bool = False
    patterns: tuple[str, ...] = ()
    files: dict[str, int] | None = None
    folders: dict[str, tuple[str, ...]] = {}
    links: dict[str, str] = {}
    refused: dict[str, str] = {}
    cut: tuple[str, ...] = ()
    disks: dict[str, Disk] = {}
    peak_bytes: int | None = None


class RecordedHost(SnapshotHost):
    """A machine as it was when it was recorded.

    Args:
        source: the archive, the folder it was unpacked to, or an open archive.

    Raises:
        ProbeError: it is no recording, is damaged, incomplete or larger than a recording can be.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        where = str(source) if isinstance(source, Path) else str(getattr(source, "name", "the recording"))
        if isinstance(source, Path) and kind_of(source) == "folder":
            meta, files = _read_folder(source, where)
        elif isinstance(source, Path):
            with _open(source, where) as file:
                meta, files = _read_archive(file, where)
        else:
            meta, files = _read_archive(source, where)
        _check(meta, files, where)
        self.redacted = meta.redacted
        fields = msgspec.structs.asdict(meta)
        for name in ("recording", "redacted", "files"):
            del fields[name]
        super().__init__(
            Snapshot(files=files, **fields), hint="record again as root: sudo memfit audit --record FILE.tar.gz"
        )


def is_recording(folder: Path) -> bool:
    """Whether a folder is an unpacked recording."""
    return kind_of(folder / META) == "file" and kind_of(folder / FILES) == "folder"


def _open(path: Path, where: str) -> BinaryIO:
    try:
        if kind_of(path) not in ("file", None):
            raise ProbeError(f"{where}: it is not a regular file", hint=_HINT)
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise _too_large(where, f"its {size / 1e9:.1f} GB are")
        return path.open("rb")
    except OSError as error:
        raise ProbeError(f"{where}: {error.strerror}", hint=_HINT) from error


def _read_archive(file: BinaryIO, where: str) -> tuple[Meta, Mapping[str, bytes]]:
    packed = _Bounded(file, where, "it is")
    try:
        with gzip.GzipFile(fileobj=io.BufferedReader(packed)) as unpacked:
            plain = io.BufferedReader(_Bounded(unpacked, where, "what it unpacks to is"))
            with tarfile.open(fileobj=plain, mode="r|", errorlevel=2) as archive:
                contents = dict(_members(archive, where))
            while plain.read(1 << 16):  # to the checksum at its end: a cut archive must not pass
                pass
    except ProbeError:
        raise
    except gzip.BadGzipFile as error:
        raise ProbeError(f"{where}: it is not a .tar.gz ({error})", hint=_HINT) from error
    except _DAMAGED as error:
        what = "it is cut short" if isinstance(error, EOFError) or "unexpected end" in str(error) else "it is damaged"
        raise ProbeError(f"{where}: {what} ({error})", hint="copy it again, or record again") from error
    if META not in contents:
        raise ProbeError(f"{where}: it has no {META} at its top", hint=_HINT)
    meta = _meta(contents.pop(META), where)
    if stray := next((name for name in contents if not name.startswith(FILES + "/")), None):
        raise ProbeError(f"{where}: {stray!r} does not belong in a recording", hint=_HINT)
    return meta, {name[len(FILES) :]: content for name, content in contents.items()}


def _members(archive: tarfile.TarFile, where: str) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    for number, member in enumerate(archive):
        archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep all of them
        name = member.name[2:] if member.name.startswith("./") else member.name
        if number > _MOST_MEMBERS:
            raise _too_large(where, "its members are")
        if member.isdir():
            _check_name(f"/{name}", where, folder=True)
            continue
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
            raise ProbeError(f"{where}: {name!r} is a link, a device or a hole, and not a file", hint=_HINT)
        _check_name(f"/{name}", where)
        if name in seen:
            raise ProbeError(f"{where}: it has {name!r} twice", hint=_HINT)
        seen.add(name)
        content = archive.extractfile(member)
        assert content is not None  # it is a regular file
        yield name, content.read()


def _read_folder(folder: Path, where: str) -> tuple[Meta, Mapping[str, bytes]]:
    """The folder's contents are read when they are asked for."""
    inside = Inside(folder)
    try:
        meta = _meta(inside.read_bytes(f"/{META}", _MOST_META_BYTES + 1), where)
    except OSError as error:
        raise ProbeError(f"{where}: it has no {META} ({error.strerror})", hint=_HINT) from error
    sizes: dict[str, int] = {}
    top, seen = folder / FILES, 0
    for parent, folders, names in os.walk(top):
        seen += len(folders) + len(names)
        if seen > _MOST_MEMBERS:
            raise _too_large(where, "its members are")
        for name in (*folders, *names):
            found = Path(parent, name)
            mode = found.lstat()
            if stat.S_ISREG(mode.st_mode):
                sizes["/" + found.relative_to(top).as_posix()] = mode.st_size
            elif not stat.S_ISDIR(mode.st_mode):
                raise ProbeError(f"{where}: {found} is a link or a device, and not a file", hint=_HINT)
    if sum(sizes.values()) > _MOST_BYTES:
        raise _too_large(where, "its files are")
    return meta, _FolderFiles(inside, sizes, where)


class _FolderFiles(Mapping[str, bytes]):
    def __init__(self, inside: Inside, sizes: dict[str, int], where: str) -> None:
        self._inside = inside
        self.sizes = sizes
        self._where = where

    def __getitem__(self, path: str) -> bytes:
        size = self.sizes[path]
        try:
            return self._inside.read_bytes(f"/{FILES}{path}", size)
        except OSError as error:
            raise ProbeError(f"{self._where}/{FILES}{path}: {error.strerror}") from error

    def __contains__(self, path: object) -> bool:
        return path in self.sizes  # Mapping would read it to know

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)


def _meta(raw: bytes, where: str) -> Meta:
    if len(raw) > _MOST_META_BYTES:
        raise _too_large(where, f"its {META} is")
    try:
        loaded = json.loads(raw)
        if isinstance(loaded, dict) and isinstance(loaded.get("recording"), int) and loaded["recording"] > RECORDING:
            raise ProbeError(f"{where}: a newer memfit recorded it", hint="pip install --upgrade memfit")
        return msgspec.convert(loaded, Meta)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ProbeError(f"{where}: its {META} makes no sense: {error}", hint=_HINT) from error


def _check(meta: Meta, files: Mapping[str, bytes], where: str) -> None:
    """Paths are absolute and plain, no file is a folder too, and every file that was recorded is there whole."""
    for table in (meta.files or {}, meta.folders, meta.links, meta.refused, meta.disks):
        for path in table:
            _check_name(path, where, folder=path == "/")
    for path in files:
        if any(parent in files for parent in _parents(path)):
            raise ProbeError(f"{where}: {path!r} lies in a file", hint=_HINT)
    if meta.files is None:
        return
    sizes = files.sizes if isinstance(files, _FolderFiles) else {path: len(content) for path, content in files.items()}
    if sizes != meta.files:
        wrong = min(set(sizes.items()) ^ set(meta.files.items()))[0]
        raise ProbeError(f"{where}: {wrong!r} is not as it was recorded", hint="copy it again, or record again")


def _check_name(path: str, where: str, *, folder: bool = False) -> None:
    parts = path.split("/")
    named = all(part not in ("", ".", "..") for part in parts[1:]) or (folder and path in ("/", "/."))
    if parts[0] or not named or "\0" in path:
        raise ProbeError(f"{where}: {path[1:][:200]!r} is no name that a recording has", hint=_HINT)


def _parents(path: str) -> Iterator[str]:
    while (path := path.rpartition("/")[0]) != "":
        yield path


def _too_large(where: str, what: str) -> ProbeError:
    return ProbeError(f"{where}: {what} more than a recording can be", hint=_HINT)


class _Bounded(io.RawIOBase):
    """Reads no more than a recording can be, however much is asked for."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, where: str, what: str) -> None:
        self._file = file
        self._left = _MOST_BYTES
        self._complaint = _too_large(where, what)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        piece = self._file.read(min(len(view), 1 << 16))
        self._left -= len(piece)
        if self._left < 0:
            raise self._complaint
        view[: len(piece)] = piece
        return len(piece)
