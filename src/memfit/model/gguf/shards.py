"""Models split into ``NAME-00001-of-0000N.gguf``: found from any of their files, checked, and read as one.

Source: ``llama_split_path`` in src/llama.cpp and the checks of ``llama_model_loader`` in src/llama-model-loader.cpp
(0c1e57098). The engine itself must be given the first file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from memfit.errors import Malformed, ModelError
from memfit.model.gguf._cursor import Remote
from memfit.model.gguf._refusals import exists
from memfit.model.gguf.header import Header
from memfit.model.gguf.reader import read_header
from memfit.model.shape import Shard, Tensor

_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
NUMBER_KEY = "split.no"
COUNT_KEY = "split.count"
TENSORS_KEY = "split.tensors.count"


def shard_paths(path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """All files of the model that ``path`` belongs to, by its name alone; itself where that is not a shard's name."""
    path = Path(path)
    match = _NAME.fullmatch(path.name)
    if match is None or not 1 <= int(match["number"]) <= int(match["count"]):
        return (path,)
    stem, count = match["stem"], match["count"]
    return tuple(path.with_name(f"{stem}-{number:05d}-of-{count}.gguf") for number in range(1, int(count) + 1))


def read_shards(
    path: str | os.PathLike[str], *, partial: bool = False, remotes: Mapping[Path, Remote] | None = None
) -> Header:
    """The header of a whole model: of the one file, or of all shards where ``path`` is any of them.

    Metadata are those of the first shard, ``tensors`` those of all in order, each with the index of its ``shard``.

    Args:
        path: the file, or any of the shards.
        partial: as for ``read_header``.
        remotes: who fetches the parts of these files that are not here.

    Raises:
        ModelError: a shard is missing; the message names it.
        Malformed: the shards do not belong together, or the file was renamed.
        NotAModel, Truncated: as ``read_header``.
    """
    paths = shard_paths(path)
    remotes = remotes or {}
    missing = [other for other in paths if not exists(other)]
    if len(paths) > 1 and missing and len(missing) < len(paths):
        raise ModelError(
            f"{_missing(len(missing), len(paths))}: {', '.join(other.name for other in missing[:8])}",
            file=str(missing[0]),
            hint=f"download {'it' if len(missing) == 1 else 'them'} into {paths[0].parent.absolute()}",
        )
    if len(paths) == 1 or missing:
        header = read_header(path, partial=partial, remote=remotes.get(Path(path)))
        _refuse_renamed(header)
        return header
    return _merge([read_header(other, partial=partial, remote=remotes.get(other)) for other in paths])


def _missing(missing: int, count: int) -> str:
    return f"one shard of {count} is missing" if missing == 1 else f"{missing} shards of {count} are missing"


def _refuse_renamed(header: Header) -> None:
    count = header.metadata.get(COUNT_KEY, 0)
    if isinstance(count, int) and count > 1:
        raise Malformed(
            f"is one of {count} shards, and its name does not say which",
            file=header.path,
            hint=f"give all of them the names they had: NAME-00001-of-{count:05d}.gguf",
        )


def _merge(headers: list[Header]) -> Header:
    first = headers[0]
    tensors: list[Tensor] = []
    names: set[str] = set()
    for index, header in enumerate(headers):
        _check_number(header, NUMBER_KEY, index)
        if index == 0 or COUNT_KEY in header.metadata:  # the engine asks only the first
            _check_number(header, COUNT_KEY, len(headers))
        for tensor in header.tensors:
            if tensor.name in names:
                raise Malformed(f"has the tensor {tensor.name!r} of a shard before it", file=header.path)
            names.add(tensor.name)
            tensors.append(msgspec.structs.replace(tensor, shard=index) if index else tensor)
    announced = first.metadata.get(TENSORS_KEY)
    if announced != len(tensors):
        raise Malformed(
            f"{TENSORS_KEY} is {announced!r}, the shards hold {len(tensors)} tensors",
            file=first.path,
            hint="the shards are of different conversions: download all of them again",
        )
    return msgspec.structs.replace(
        first,
        file_bytes=sum(header.file_bytes for header in headers),
        tensors=tuple(tensors),
        shards=tuple(Shard(header.path, header.file_bytes, header.data_offset) for header in headers),
    )


def _check_number(header: Header, key: str, expected: int) -> None:
    value = header.metadata.get(key)
    if value != expected or isinstance(value, bool):
        span = header.spans.get(key)
        raise Malformed(
            f"{key} is {value!r}, expected {expected} from the file's name",
            file=header.path,
            offset=span.offset if span else None,
            hint="the file was renamed, or is of another model",
        )
