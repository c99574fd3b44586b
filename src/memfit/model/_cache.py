"""Results kept between runs, each for as long as the files it was computed from stay as they are.

One file a result under ``$XDG_CACHE_HOME/memfit/model``. Nothing here can fail a run: what cannot be read is computed
again, what cannot be written is not kept. ``MEMFIT_CACHE=off`` turns it off.
"""

from __future__ import annotations

import os
from binascii import crc32
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, Union

import msgspec

import memfit

MOST_ENTRIES = 256

T = TypeVar("T", bound=msgspec.Struct)
Paths = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """What an entry was computed from, and the result with its checksum."""

    origin: str
    checksum: int
    result: bytes


def cached(path: Paths, key: str, compute: Callable[[], T], type: type[T]) -> T:
    """The result of ``compute``, or that of an earlier run.

    Args:
        path: the file it is computed from, or all of them (shards).
        key: which result of these files; whoever computes it in another way calls it otherwise.
        compute: computes it; what it raises is passed on, and nothing is kept.
        type: the record's class. Another set of fields or another ``schema_version`` is another entry.
    """
    origin = None if os.environ.get("MEMFIT_CACHE", "").lower() == "off" else _origin(path, key, type)
    if origin is None:
        return compute()
    entry = _folder() / _name(path, key)
    kept = _load(entry, origin, type)
    if kept is not None:
        return kept
    result = compute()
    if _origin(path, key, type) == origin:  # a file that changed meanwhile is neither the old one nor the new
        # a name that is no text (bytes that are not UTF-8) cannot be written into an entry
        with suppress(OSError, UnicodeEncodeError):
            _store(entry, origin, result)
    return result


def _folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME", "")
    # a relative path there is to be ignored (XDG Base Directory Specification)
    base = Path(root) if root.startswith("/") else Path(os.environ.get("HOME", "/")) / ".cache"
    return base / "memfit" / "model"


def _each(path: Paths) -> list[tuple[str, str]]:
    """Every path as it was given and as it really is: a result may name its file as it was given."""
    paths = [path] if isinstance(path, (str, os.PathLike)) else path
    return [(os.fspath(one), os.path.realpath(one)) for one in paths]


def _name(path: Paths, key: str) -> str:
    """The entry's file name; two results with the same name only push each other out, as ``origin`` is compared."""
    return f"{crc32(ascii([key, *_each(path)]).encode()):08x}.msgpack"


def _origin(path: Paths, key: str, type: type[T]) -> str | None:
    """Everything that the result depends on, as text; None where a file cannot be asked."""
    defaults = dict(zip(reversed(type.__struct_fields__), reversed(type.__struct_defaults__), strict=False))
    schema = f"{type.__qualname__} {defaults.get('schema_version')} {','.join(type.__struct_fields__)}"
    lines = [memfit.__version__, key, schema]
    try:
        for one in _each(path):
            status = os.stat(one[1])  # noqa: PTH116 - pathlib doubles the time of a hit
            lines.append(f"{one!a} {status.st_size} {status.st_mtime_ns} {status.st_ino} {status.st_dev}")
    except (OSError, ValueError):
        return None
    return "\n".join(lines)


def _load(entry: Path, origin: str, type: type[T]) -> T | None:
    try:
        kept = msgspec.msgpack.decode(entry.read_bytes(), type=_Entry)
        if kept.origin != origin or crc32(kept.result) != kept.checksum:
            return None
        return msgspec.msgpack.decode(kept.result, type=type)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _store(entry: Path, origin: str, result: msgspec.Struct) -> None:
    data = msgspec.msgpack.encode(result)
    folder = entry.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # renamed when complete: a reader sees the old entry or the new one, also after a crash
    unfinished = folder / f"{entry.stem}.{os.urandom(4).hex()}.tmp"
    try:
        unfinished.write_bytes(msgspec.msgpack.encode(_Entry(origin, crc32(data), data)))
        unfinished.replace(entry)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
    _remove_oldest(folder)


def _remove_oldest(folder: Path) -> None:
    entries = list(folder.iterdir())  # what a killed run left unfinished counts and ages out too
    if len(entries) <= MOST_ENTRIES:
        return
    aged: list[tuple[int, Path]] = []
    for entry in entries:
        with suppress(OSError):  # another run may have removed it
            aged.append((entry.stat().st_mtime_ns, entry))
    for _, entry in sorted(aged)[: len(entries) - MOST_ENTRIES]:
        with suppress(OSError):
            entry.unlink()
