"""The part of a file that is here: which version it is of, and how it grows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from memfit.errors import ModelError, Unreachable
from memfit.remote.web import Answer, Web, check_size
from memfit.units import format_bytes

PART = ".part"
_STATE = ".part.json"
_PIECE = 1 << 20

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


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of which file the part is of."""

    source: str
    version: str


class Broken(Exception):
    """The connection broke after so many bytes."""

    def __init__(self, failure: Unreachable, fetched_bytes: int) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.fetched_bytes = fetched_bytes


def go_on(web: Web, wanted: Wanted, part: Path, progress: Progress | None) -> int:
    """Fetch what is missing of the part; returns how much that was.

    Raises:
        Broken: it is not complete, and may be when asked again.
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
                    forget(part)
                    raise Broken(Unreachable("the file changed on the server", file=wanted.url), 0)
            length = _length(answer)
            total = wanted.bytes if length is None else held + length
            _check_total(wanted, total)
            check_size(total or 0, wanted.url)
            check_space(part, (total or 0) - held)
            _remember(part, _State(source=wanted.url, version=version))
            return _append(answer, part, held, total, progress)
    except Unreachable as failure:
        raise Broken(failure, 0) from failure


def _append(answer: Answer, part: Path, held: int, total: int | None, progress: Progress | None) -> int:
    fetched = 0
    with written(part), part.open("r+b" if held else "wb") as file:
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
            raise Broken(failure, fetched) from failure
    if total is not None and held + fetched < total:
        missing = total - held - fetched
        raise Broken(
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
            check_space(part, total)
            with written(part), part.open("wb") as file:
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


def _check_total(wanted: Wanted, total: int | None) -> None:
    if wanted.bytes is not None and total is not None and total != wanted.bytes:
        raise ModelError(
            f"has {total} bytes, published are {wanted.bytes}",
            file=wanted.url or wanted.path,
            hint="it changed meanwhile, or the server lies: try again, or another mirror",
        )


def check_space(part: Path, needed: int) -> None:
    """Refuse to begin what cannot end.

    Raises:
        ModelError: less is free on the disk of ``part`` than is still to come.
    """
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise ModelError(
            f"{format_bytes(needed)} are still to come, and {format_bytes(free)} are free",
            file=str(part.parent),
            hint="--to DIR on another disk, or free some space; what is here is kept",
        )


@contextmanager
def written(path: Path) -> Iterator[None]:
    """What cannot be written is one clear error.

    Raises:
        ModelError: in place of ``OSError``.
    """
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
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def state_of(part: Path) -> Path:
    """The file that says of which version ``part`` is."""
    return part.with_name(part.name.removesuffix(PART) + _STATE)


def _load(part: Path) -> _State:
    try:
        return msgspec.json.decode(state_of(part).read_bytes(), type=_State)
    except (OSError, msgspec.MsgspecError):
        return _State(source="", version="")


def _is_of(part: Path, wanted: Wanted) -> bool:
    """Whether the part is of this file, of a version that can be told from others."""
    known = _load(part)
    return known.source == wanted.url and bool(known.version)


def _remember(part: Path, state: _State) -> None:
    target = state_of(part)
    fresh = target.with_name(target.name + ".new")
    with written(part):
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(target)


def forget(part: Path) -> None:
    """The part counts for nothing."""
    with suppress(OSError):
        state_of(part).unlink()
