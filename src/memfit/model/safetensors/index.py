"""The index of a model split into several files (``model.safetensors.index.json``)."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from memfit.errors import Malformed, ModelError
from memfit.model.gguf._refusals import exists, refuse_unreadable, regular_size
from memfit.model.safetensors._json import decode, without_duplicates

NAME = "model.safetensors.index.json"  # SAFE_WEIGHTS_INDEX_NAME, transformers 5.23.0 utils/__init__.py
MOST_BYTES = 64 << 20  # memfit's own bound: half a million tensors
_MOST_NAMED = 8


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Which file holds which tensor.

    Attributes:
        path: the index, as it was given.
        total_bytes: what its metadata say the tensors take together, None where they do not.
        files: the names of the shards, sorted.
        places: for each tensor the number of its file in ``files``.
    """

    path: str
    total_bytes: int | None
    files: tuple[str, ...]
    places: dict[str, int]


def read_index(path: str | os.PathLike[str]) -> Index:
    """The index, and that every file it names is there.

    Raises:
        Malformed: it contradicts itself or is no index.
        ModelError: missing, not readable, or a shard is missing; the message names it.
    """
    path = Path(path)
    size = regular_size(path)
    if size > MOST_BYTES:
        raise Malformed(f"has {size} bytes, an index has at most {MOST_BYTES}", file=str(path))
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise refuse_unreadable(path, failure) from failure
    index = parse_index(raw, file=str(path))
    missing = [name for name in index.files if not exists(path.parent / name)]
    if missing:
        count, named = len(index.files), ", ".join(missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        there = "one shard" if len(missing) == 1 else f"{len(missing)} shards"
        raise ModelError(
            f"{there} of {count} {'is' if len(missing) == 1 else 'are'} missing: {named}{more}",
            file=str(path),
            hint=f"download {'it' if len(missing) == 1 else 'them'} into {path.parent.absolute()}",
        )
    return index


def parse_index(raw: bytes, *, file: str) -> Index:
    """The index by its text alone, however that was fetched.

    Raises:
        Malformed: not an index, or one that names files outside its folder.
    """
    values = decode(raw, file=file, pairs=without_duplicates(file))
    places = values.get("weight_map") if isinstance(values, dict) else None
    if not isinstance(places, dict) or not places:
        raise Malformed("has no weight_map", file=file)
    for name, shard in places.items():
        if not isinstance(shard, str) or not _is_plain(shard):
            raise Malformed(
                f"weight_map places {name[:80]!r} in {str(shard)[:80]!r}, which is no file beside it", file=file
            )
    files = tuple(sorted(set(places.values())))
    numbers = {name: number for number, name in enumerate(files)}
    return Index(
        path=file,
        total_bytes=_total(values.get("metadata")),
        files=files,
        places={tensor: numbers[shard] for tensor, shard in places.items()},
    )


def _total(metadata: object) -> int | None:
    value = metadata.get("total_size") if isinstance(metadata, dict) else None
    # some writers leave a float there
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**63:
        return None
    return int(value)


def _is_plain(name: str) -> bool:
    """Whether it is the name of a file beside the index, and no path out of its folder."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(name) < 256 and "\x00" not in name and Path(name).name == name and name not in (".", "..")
