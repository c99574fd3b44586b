"""Whole files brought here: resumed where they broke, checked, and under their own name only when they are complete."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

import msgspec

from memfit.errors import ModelError, Unreachable
from memfit.remote.web import Answer, Web
from memfit.units import format_bytes

PART = ".part"
_STATE = ".part.json"
_PIECE = 1 << 20
_TRIES = 6  # in a row without a byte; each byte begins anew
_PAUSES_S = (0.0, 1.0, 3.0, 10.0, 30.0)

Progress = Callable[[int, int], None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A file to bring here.

    Attributes:
        name: what it is called here, folders of the repository among it.
        url: where it is; or ``path``, a file of a mirror on this machine.
        bytes: its size, None where nobody said.
        sha256: what it must have, empty where nobody said.
    """

    name: str
    url: str = ""
    path: str = ""
    bytes: int | None = None
    sha256: str = ""


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is here now.

    Attributes:
        path: where.
        bytes, sha256: of it.
        checked: whether ``sha256`` is what was published; False where nothing was.
        fetched_bytes: of this call: less than ``bytes`` where an earlier one had brought a part.
    """

    path: str
    bytes: int
    sha256: str
    checked: bool
    fetched_bytes: int


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is here now.

    Attributes:
        name: as it was asked for.
        files: in the order they were brought; a split model's first shard is the one an engine is given.
        bytes, fetched_bytes: of all files.
        seconds: it took.
    """

    name: str
    files: tuple[Pulled, ...]
    bytes: int
    fetched_bytes: int
    seconds: float
    schema_version: int = 1


def pull_all(
    name: str,
    web: Web,
    files: Sequence[Wanted],
    folder: Path,
    *,
    progress: Callable[[Wanted], AbstractContextManager[Progress | None]] = lambda wanted: nullcontext(),
    overwrite: bool = False,
) -> Pull:
    """Bring every file of a model into ``folder``; space for all of them is looked for first.

    ``progress`` gives a line for each file. Raises as ``pull``.
    """
    began = time.monotonic()
    missing = sum(wanted.bytes or 0 for wanted in files if not (folder / wanted.name).exists())
    held = sum(_size(folder / (wanted.name + PART)) for wanted in files)
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _check_space(folder / PART, missing - held)
    pulled = []
    for wanted in files:
        with progress(wanted) as line:
            pulled.append(pull(web, wanted, folder, progress=line, overwrite=overwrite))
    return Pull(
        name=name,
        files=tuple(pulled),
        bytes=sum(one.bytes for one in pulled),
        fetched_bytes=sum(one.fetched_bytes for one in pulled),
        seconds=round(time.monotonic() - began, 3),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of which file the part is of."""

    source: str
    version: str


def pull(
    web: Web, wanted: Wanted, folder: Path, *, progress: Progress | None = None, overwrite: bool = False
) -> Pulled:
    """Bring one file into ``folder``.

    What breaks leaves ``NAME.part``, and the next call goes on from there while the server's file is the same.

    Args:
        web: asks for it.
        wanted: the file.
        folder: where to; made where it is not there.
        progress: called with the bytes that are here and the total.
        overwrite: replace a file of that name that has another content.

    Raises:
        Unreachable: the server does not answer, or not to the end.
        ModelError: it refuses; no space; a size or checksum that differs; a file of that name is there.
    """
    target = folder / wanted.name
    kept = _kept(target, wanted, overwrite=overwrite)
    if kept is not None:
        return kept
    part = target.with_name(target.name + PART)
    with _written(part):
        part.parent.mkdir(parents=True, exist_ok=True)
    fetched, quiet = 0, 0
    while True:
        try:
            fetched += _go_on(web, wanted, part, progress)
            break
        except _Broken as broken:
            fetched += broken.fetched_bytes
            quiet = 0 if broken.fetched_bytes else quiet + 1
            if quiet >= _TRIES:
                raise broken.failure from broken
            time.sleep(_PAUSES_S[min(quiet, len(_PAUSES_S) - 1)])
    digest = _checked(part, wanted)
    with _written(target):
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
        _sync_folder(target.parent)
    with suppress(OSError):
        _state_of(part).unlink()
    return Pulled(
        path=str(target),
        bytes=target.stat().st_size,
        sha256=digest,
        checked=bool(wanted.sha256),
        fetched_bytes=fetched,
    )


class _Broken(Exception):
    """The connection broke after so many bytes."""

    def __init__(self, failure: Unreachable, fetched_bytes: int) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.fetched_bytes = fetched_bytes


def _kept(target: Path, wanted: Wanted, *, overwrite: bool) -> Pulled | None:
    """The file where it is there already and is the one that is wanted."""
    if not os.path.lexists(target) or overwrite:
        return None
    with _written(target):
        size = target.stat().st_size
        digest = _digest(target) if wanted.bytes in (None, size) else ""
    if digest and wanted.sha256 in ("", digest) and (wanted.sha256 or wanted.bytes == size):
        return Pulled(path=str(target), bytes=size, sha256=digest, checked=bool(wanted.sha256), fetched_bytes=0)
    raise ModelError(
        "is there already, and is another file",
        file=str(target),
        hint="--overwrite replaces it, --to DIR leaves it alone",
    )


def _go_on(web: Web, wanted: Wanted, part: Path, progress: Progress | None) -> int:
    """Fetch what is missing of the part; returns how much that was.

    Raises:
        _Broken: it is not complete, and may be when asked again.
        ModelError: it will not be.
    """
    if wanted.path:
        return _copy(wanted, part, progress)
    held = part.stat().st_size if part.exists() else 0
    if held and not _is_of(part, wanted):
        held = 0
    if wanted.bytes is not None and held == wanted.bytes:
        return 0
    try:
        with web.get(wanted.url, first=held or None, whole=True) as answer:
            version = _version(answer)
            if held and (answer.status != 206 or version != _load(part).version):
                held = 0  # another version, or a server that begins again
                if answer.status == 206:
                    _forget(part)
                    raise _Broken(Unreachable("the file changed on the server", file=wanted.url), 0)
            length = _length(answer)
            total = wanted.bytes if length is None else held + length
            _check_total(wanted, total)
            _check_space(part, (total or 0) - held)
            _remember(part, _State(source=wanted.url, version=version))
            return _append(answer, part, held, total, progress)
    except Unreachable as failure:
        raise _Broken(failure, 0) from failure


def _append(answer: Answer, part: Path, held: int, total: int | None, progress: Progress | None) -> int:
    fetched = 0
    with _written(part), part.open("r+b" if held else "wb") as file:
        file.seek(held)
        file.truncate()
        try:
            for piece in answer.pieces((total or 1 << 62) - held):
                file.write(piece)
                fetched += len(piece)
                if progress is not None:
                    progress(held + fetched, total or 0)
        except Unreachable as failure:
            file.flush()
            raise _Broken(failure, fetched) from failure
    if total is not None and held + fetched < total:
        missing = total - held - fetched
        raise _Broken(
            Unreachable(f"the server ended {missing} bytes too early", file=answer.url, hint="try again"), fetched
        )
    return fetched


def _copy(wanted: Wanted, part: Path, progress: Progress | None) -> int:
    """From a mirror on this machine; begun anew each time, as that costs no network."""
    fetched = 0
    try:
        with Path(wanted.path).open("rb") as source:
            total = os.fstat(source.fileno()).st_size
            _check_total(wanted, total)
            _check_space(part, total)
            with _written(part), part.open("wb") as file:
                while piece := source.read(_PIECE):
                    file.write(piece)
                    fetched += len(piece)
                    if progress is not None:
                        progress(fetched, total)
    except OSError as failure:
        raise ModelError(
            f"cannot be read: {failure.strerror}", file=wanted.path, hint="is the mirror's drive still there?"
        ) from failure
    return fetched


def _checked(part: Path, wanted: Wanted) -> str:
    digest = _digest(part)
    if wanted.sha256 and digest != wanted.sha256:
        with suppress(OSError):
            part.unlink()
        _forget(part)
        raise ModelError(
            f"its checksum is {digest}, published is {wanted.sha256}",
            file=wanted.url or wanted.path,
            hint="what was fetched is thrown away: try again; if it stays so, the server or a proxy changes the file",
        )
    return digest


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            state.update(piece)
    return state.hexdigest()


def _check_total(wanted: Wanted, total: int | None) -> None:
    if wanted.bytes is not None and total is not None and total != wanted.bytes:
        raise ModelError(
            f"has {total} bytes, published are {wanted.bytes}",
            file=wanted.url or wanted.path,
            hint="it changed meanwhile, or the server lies: try again, or another mirror",
        )


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise ModelError(
            f"{format_bytes(needed)} are still to come, and {format_bytes(free)} are free",
            file=str(part.parent),
            hint="--to DIR on another disk, or free some space; what is here is kept",
        )


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise ModelError(
            f"cannot be written: {failure.strerror}", file=str(path), hint="free some space, or --to DIR elsewhere"
        ) from failure


def _version(answer: Answer) -> str:
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""


def _length(answer: Answer) -> int | None:
    text = answer.headers.get("Content-Length") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _state_of(part: Path) -> Path:
    return part.with_name(part.name.removesuffix(PART) + _STATE)


def _load(part: Path) -> _State:
    try:
        return msgspec.json.decode(_state_of(part).read_bytes(), type=_State)
    except (OSError, msgspec.MsgspecError):
        return _State(source="", version="")


def _is_of(part: Path, wanted: Wanted) -> bool:
    """Whether the part is of this file, of a version that can be told from others."""
    known = _load(part)
    return known.source == wanted.url and bool(known.version)


def _remember(part: Path, state: _State) -> None:
    with _written(part):
        _state_of(part).write_bytes(msgspec.json.encode(state))


def _forget(part: Path) -> None:
    with suppress(OSError):
        _state_of(part).unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
