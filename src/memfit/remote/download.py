"""Whole files brought here: resumed where they broke, checked, and under their own name only when they are complete."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import msgspec

from memfit.errors import ModelError, NotAModel
from memfit.remote._parts import PART, Broken, Progress, Wanted, check_space, forget, go_on, state_of, written
from memfit.remote.web import Web

__all__ = ["Progress", "Pull", "Pulled", "Wanted", "pull", "pull_all"]

_PIECE = 1 << 20
_GGUF = b"GGUF"
_TRIES = 6  # in a row without a byte; each byte begins anew
_FIRST_TRIES = 2  # of a server that has not sent a byte: it refuses, and no link broke
_PAUSES_S = (0.0, 1.0, 3.0, 10.0, 30.0)


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
    waits: Callable[[str], None] = lambda words: None,
    overwrite: bool = False,
) -> Pull:
    """Bring every file of a model into ``folder``; space for all of them is looked for first.

    ``progress`` gives a line for each file, ``waits`` is told what is waited for. Raises as ``pull``.
    """
    began = time.monotonic()
    missing = sum(wanted.bytes or 0 for wanted in files if not (folder / wanted.name).exists())
    held = sum(_size(folder / (wanted.name + PART)) for wanted in files)
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_space(folder / PART, missing - held)
    pulled = []
    for wanted in files:
        with progress(wanted) as line:
            pulled.append(pull(web, wanted, folder, progress=line, waits=waits, overwrite=overwrite))
    return Pull(
        name=name,
        files=tuple(pulled),
        bytes=sum(one.bytes for one in pulled),
        fetched_bytes=sum(one.fetched_bytes for one in pulled),
        seconds=round(time.monotonic() - began, 3),
    )


def pull(
    web: Web,
    wanted: Wanted,
    folder: Path,
    *,
    progress: Progress | None = None,
    waits: Callable[[str], None] = lambda words: None,
    overwrite: bool = False,
) -> Pulled:
    """Bring one file into ``folder``.

    What breaks leaves ``NAME.part``, and the next call goes on from there while the server's file is the same.

    Args:
        web: asks for it.
        wanted: the file.
        folder: where to; made where it is not there.
        progress: called with the bytes that are here and the total.
        waits: told why it is asked again, and when.
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
    with written(part):
        part.parent.mkdir(parents=True, exist_ok=True)
    fetched, quiet, furthest = 0, 0, _size(part)
    while True:
        try:
            fetched += go_on(web, wanted, part, progress)
            break
        except Broken as broken:
            fetched += broken.fetched_bytes
            # a server that cannot go on where it stopped starts anew each time: that is no progress
            here = _size(part)
            quiet = 0 if here > furthest else quiet + 1
            furthest = max(furthest, here)
            if quiet >= (_TRIES if fetched else _FIRST_TRIES):
                raise broken.failure from broken
            pause_s = _PAUSES_S[min(quiet, len(_PAUSES_S) - 1)]
            waits(f"{broken.failure.message}; asked again" + (f" in {pause_s:.0f} s" if pause_s else ""))
            time.sleep(pause_s)
    _check_kind(part, wanted)
    digest = _checked(part, wanted)
    with written(target):
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
        _sync_folder(target.parent)
    with suppress(OSError):
        state_of(part).unlink()
    return Pulled(
        path=str(target),
        bytes=target.stat().st_size,
        sha256=digest,
        checked=bool(wanted.sha256),
        fetched_bytes=fetched,
    )


def _kept(target: Path, wanted: Wanted, *, overwrite: bool) -> Pulled | None:
    """The file where it is there already and is the one that is wanted."""
    if not os.path.lexists(target) or overwrite:
        return None
    with written(target):
        size = target.stat().st_size
        digest = _digest(target) if wanted.bytes in (None, size) else ""
    if digest and wanted.sha256 in ("", digest) and (wanted.sha256 or wanted.bytes == size):
        return Pulled(path=str(target), bytes=size, sha256=digest, checked=bool(wanted.sha256), fetched_bytes=0)
    raise ModelError(
        "is there already, and is another file",
        file=str(target),
        hint="--overwrite replaces it, --to DIR leaves it alone",
    )


def _check_kind(part: Path, wanted: Wanted) -> None:
    """A page that a server or a portal sends instead of a model is told by its first bytes."""
    if wanted.sha256 or not wanted.name.endswith(".gguf"):
        return
    with written(part), part.open("rb") as file:
        began = file.read(len(_GGUF))
    if began != _GGUF:
        with suppress(OSError):
            part.unlink()
        forget(part)
        raise NotAModel(
            f"is no GGUF file: it begins with {began!r}",
            file=wanted.url or wanted.path,
            hint="open the address in a browser: a login page or a portal answers in its place",
        )


def _checked(part: Path, wanted: Wanted) -> str:
    digest = _digest(part)
    if wanted.sha256 and digest != wanted.sha256:
        with suppress(OSError):
            part.unlink()
        forget(part)
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
