"""Reads the header of one GGUF file, in bounded time and memory, and never the tensor data.

The engine's own reader (``gguf_init_from_reader``, ggml/src/gguf.cpp, 0c1e57098) decides what is accepted: what it
refuses, such as a gap between two tensors, is refused here too: the size of a model that cannot be loaded is no answer.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct

from memfit.errors import Malformed, Truncated, UsageError
from memfit.model.gguf import _metadata
from memfit.model.gguf._cursor import Cursor, Remote
from memfit.model.gguf._foreign import HEAD_BYTES, foreign
from memfit.model.gguf._refusals import refuse_unfinished, refuse_unreadable, regular_size, resume_hint
from memfit.model.gguf._values import (
    ALIGNMENT_KEY,
    DEFAULT_ALIGNMENT,
    MAGIC,
    MOST_DIMS,
    MOST_NAME_BYTES,
    PREAMBLE,
    U32,
    VERSION,
    padded,
)
from memfit.model.gguf.header import Header
from memfit.model.shape import Shard, Tensor
from memfit.precision import format_of
from memfit.precision._format import Format

MOST_TENSORS = 1 << 17  # mixtures of experts stored tensor by tensor have 70,000
MOST_ELEMENTS = 2**63 - 1  # the engine counts in int64
MOST_DATA_BYTES = 1 << 50  # a petabyte: beyond it a header is damaged and not a download incomplete
# a length, a name such as output.bias, a tag or dims, number and offset: what every key and tensor has at least
_LEAST_KEY_BYTES = 8 + 8 + 4 + 1
_LEAST_TENSOR_BYTES = 8 + 11 + 4 + 8 + 4 + 8
_WITHDRAWN = (4, 5, 31, 32, 33, 36, 37, 38)  # enum ggml_type, ggml/include/ggml.h (0c1e57098)
_DIMS = tuple(Struct(f"<{count}QIQ") for count in range(MOST_DIMS + 1))  # dims, type number, offset


def read_header(path: str | os.PathLike[str], *, partial: bool = False, remote: Remote | None = None) -> Header:
    """The header of one GGUF file of version 2 or 3, little-endian. For all shards of a model see ``read_shards``.

    Args:
        path: the file.
        partial: accept a file that ends before its tensor data does, such as the first megabytes of a download.
        remote: fetches parts of the file that are not here.

    Raises:
        NotAModel: something else; the message says what, the hint what to do.
        Truncated: it ends too early, or a downloader is still at it.
        Malformed: its bytes contradict the format; carries the offset.
        ModelError: missing, or not readable.
    """
    path = Path(path)
    size_bytes = regular_size(path)
    if not partial:
        refuse_unfinished(path)
    try:
        file = path.open("rb", buffering=0)
    except OSError as failure:
        raise refuse_unreadable(path, failure) from failure
    with file:
        return _read(Cursor(file.fileno(), str(path), size_bytes, remote), path, partial)


def _read(cursor: Cursor, path: Path, partial: bool) -> Header:
    if cursor.peek(4) != MAGIC:
        raise foreign(path, cursor.peek(HEAD_BYTES))
    version, tensor_count, key_count = _preamble(cursor)
    cursor.expect(_LEAST_KEY_BYTES * key_count + _LEAST_TENSOR_BYTES * tensor_count)
    metadata, arrays, spans = _metadata.read(cursor, key_count)
    alignment = _alignment(cursor, metadata.get(ALIGNMENT_KEY), spans)
    tensors = _tensors(cursor, tensor_count, alignment)
    data_offset = padded(cursor.at, alignment) if tensors else cursor.at
    needed_bytes = data_offset + tensors[-1].offset + tensors[-1].bytes if tensors else data_offset
    if needed_bytes > cursor.size_bytes and not partial:
        raise Truncated(
            f"{needed_bytes - cursor.size_bytes} bytes are missing: "
            f"its tensors need {needed_bytes}, the file has {cursor.size_bytes}",
            file=cursor.file,
            hint=resume_hint(cursor.file),
        )
    return Header(
        path=cursor.file,
        version=version,
        file_bytes=cursor.size_bytes,
        alignment=alignment,
        data_offset=data_offset,
        metadata=metadata,
        arrays=arrays,
        spans=spans,
        tensors=tensors,
        shards=(Shard(cursor.file, cursor.size_bytes, data_offset),),
    )


def _preamble(cursor: Cursor) -> tuple[int, int, int]:
    """Version, tensors, keys."""
    _, version, tensor_count, key_count = cursor.take(PREAMBLE)

    def malformed(message: str, offset: int, hint: str) -> Malformed:
        return Malformed(message, file=cursor.file, offset=offset, hint=hint)

    damaged = "the file is damaged; download it again"
    if version and version & 0xFFFF == 0:
        raise malformed(
            f"is a big-endian GGUF file (version {int.from_bytes(version.to_bytes(4, 'little'), 'big')})",
            4,
            "convert it with gguf-py's gguf_convert_endian.py FILE little",
        )
    if version == 1:
        raise malformed("is a GGUF file of version 1", 4, "llama.cpp reads 2 and 3: download a newer conversion")
    if version == 0:
        raise malformed("is a GGUF file of version 0", 4, damaged)
    if version > VERSION:
        raise malformed(f"is a GGUF file of version {version}, newer than {VERSION}", 4, "update memfit and the engine")
    if tensor_count > MOST_TENSORS:
        raise malformed(f"announces {tensor_count} tensors, more than any model has ({MOST_TENSORS})", 8, damaged)
    if key_count > _metadata.MOST_KEYS:
        raise malformed(f"announces {key_count} keys, more than any model has ({_metadata.MOST_KEYS})", 16, damaged)
    return version, tensor_count, key_count


def _alignment(cursor: Cursor, value: object, spans: _metadata.Spans) -> int:
    if ALIGNMENT_KEY not in spans:
        return DEFAULT_ALIGNMENT
    span = spans[ALIGNMENT_KEY]
    if not isinstance(value, int) or span.type != U32:
        raise Malformed(f"{ALIGNMENT_KEY} is not a u32", file=cursor.file, offset=span.offset)
    if value == 0 or value & (value - 1):
        raise Malformed(f"{ALIGNMENT_KEY} is {value}, not a power of two", file=cursor.file, offset=span.offset)
    return value


def _tensors(cursor: Cursor, count: int, alignment: int) -> tuple[Tensor, ...]:
    cursor.reading = f"the list of {count} tensors"
    cursor.expect(_LEAST_TENSOR_BYTES * count)
    formats: dict[int, Format] = {}
    tensors: list[Tensor] = []
    names: set[str] = set()
    expected = 0
    for _ in range(count):
        start = cursor.at
        name = _name(cursor, start)
        if name in names:
            raise Malformed(f"has two tensors {name!r}", file=cursor.file, offset=start)
        names.add(name)
        dims_count = cursor.u32()
        if dims_count > MOST_DIMS:
            raise Malformed(
                f"tensor {name!r} has {dims_count} dimensions, more than {MOST_DIMS}", file=cursor.file, offset=start
            )
        *dims, number, offset = cursor.take(_DIMS[dims_count])
        if number not in formats:
            formats[number] = _format(cursor, name, number, start)
        tensor = _tensor(cursor, start, name, tuple(dims) or (1,), formats[number], offset)
        if offset != expected:
            _misplaced(cursor, start, tensor, expected, alignment)
        expected = padded(offset + tensor.bytes, alignment)
        if expected > MOST_DATA_BYTES:
            raise Malformed(f"tensor {name!r} ends at byte {expected} of the data", file=cursor.file, offset=start)
        tensors.append(tensor)
    return tuple(tensors)


def _name(cursor: Cursor, start: int) -> str:
    length = cursor.u64()
    if length > MOST_NAME_BYTES:
        raise Malformed(
            f"a tensor's name takes {length} bytes, more than {MOST_NAME_BYTES}", file=cursor.file, offset=start
        )
    try:
        return cursor.raw(length).decode()
    except UnicodeDecodeError as failure:
        raise Malformed("a tensor's name is not UTF-8", file=cursor.file, offset=start) from failure


def _format(cursor: Cursor, name: str, number: int, start: int) -> Format:
    try:
        return format_of(number)
    except UsageError as failure:
        raise Malformed(
            f"tensor {name!r} has the type number {number}, which stands for no format",
            file=cursor.file,
            offset=start,
            hint="llama.cpp withdrew it: download a newer conversion"
            if number in _WITHDRAWN
            else "the file may be newer than memfit and the engine: update both",
        ) from failure


def _tensor(cursor: Cursor, start: int, name: str, dims: tuple[int, ...], form: Format, offset: int) -> Tensor:
    elements = 1
    for size in dims:
        elements *= size
    if not 0 < elements <= MOST_ELEMENTS:
        raise Malformed(f"tensor {name!r} has the dimensions {dims}", file=cursor.file, offset=start)
    if dims[0] % form.block_elements:
        raise Malformed(
            f"tensor {name!r} has rows of {dims[0]} numbers, not a whole number of {form.name} blocks of "
            f"{form.block_elements}",
            file=cursor.file,
            offset=start,
        )
    return Tensor(name, dims, form.name, elements // form.block_elements * form.block_bytes, offset)


def _misplaced(cursor: Cursor, start: int, tensor: Tensor, expected: int, alignment: int) -> None:
    if tensor.offset % alignment:
        message = f"the data of tensor {tensor.name!r} starts at {tensor.offset}, not a multiple of {alignment}"
    elif tensor.offset < expected:
        message = f"the data of tensor {tensor.name!r} at {tensor.offset} overlaps that of the tensor before"
    else:
        message = f"the data of tensor {tensor.name!r} starts at {tensor.offset}, expected at {expected}"
    raise Malformed(message, file=cursor.file, offset=start)
