"""Writes GGUF headers: stubs of real models for the engine to size, and models known only by their shape.

Tensor data is never written: it is a hole in a sparse file, which takes no room and reads as zeros.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, Union

import msgspec

from memfit.errors import ModelError, UsageError
from memfit.model.gguf._values import (
    ALIGNMENT_KEY,
    ARRAY,
    ARRAY_HEAD,
    BOOL,
    CODES,
    DEFAULT_ALIGNMENT,
    MAGIC,
    MOST_DIMS,
    MOST_NAME_BYTES,
    ONE_U32,
    ONE_U64,
    PREAMBLE,
    STRING,
    TOKENIZER_PREFIX,
    TYPE_NAMES,
    VERSION,
    padded,
)
from memfit.model.gguf.header import Header
from memfit.model.metadata import Scalar, Value
from memfit.precision.formats import FORMATS


class Typed(msgspec.Struct, frozen=True):
    """A value whose GGUF type matters: ``u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool str``.

    A sequence becomes an array of elements of that type.
    """

    type: str
    value: Value


class Copied(msgspec.Struct, frozen=True):
    """A value copied unread, type tag and all, from ``bytes`` bytes at ``offset`` of another GGUF file."""

    file: str
    offset: int
    bytes: int


class Encoded(msgspec.Struct, frozen=True):
    """A value as it stands in a file, type tag and all: for arrays too long to be held as objects."""

    data: bytes


class Extent(msgspec.Struct, frozen=True):
    """Where the tensor data starts, and what the whole file takes with it (holes counted). In bytes."""

    data_offset: int
    file_bytes: int


Writable = Union[Value, Typed, Copied, Encoded]
TensorSpec = tuple[str, tuple[int, ...], str]  # name, dims (the row first), format


def write_header(
    file: BinaryIO,
    metadata: Mapping[str, Writable],
    tensors: Iterable[TensorSpec],
    *,
    alignment: int = DEFAULT_ALIGNMENT,
) -> Extent:
    """Writes a header of version 3 at the file's position, which must be its start, up to the tensor data.

    Without ``Typed``, an int becomes u32 (i32 where negative), a float f32; sequences become arrays of the same.
    ``general.alignment`` is written from ``alignment`` where that is not the default.

    Raises:
        UsageError: a value, name or shape that the format cannot hold.
        UnknownName: a format that is in no catalog.
    """
    if alignment < 1 or alignment & (alignment - 1):
        raise UsageError(f"an alignment of {alignment} is not a power of two")
    pairs = {key: value for key, value in metadata.items() if key != ALIGNMENT_KEY}
    if alignment != DEFAULT_ALIGNMENT:
        pairs[ALIGNMENT_KEY] = alignment
    listed = list(tensors)
    written = file.write(PREAMBLE.pack(MAGIC, VERSION, len(listed), len(pairs)))
    for key, value in pairs.items():
        if not key:
            raise UsageError("a key is empty")
        written += file.write(_string(key))
        written += _copy(file, value) if isinstance(value, Copied) else file.write(_value(key, value))
    infos, data_bytes = _tensor_infos(listed, alignment)
    written += file.write(infos)
    data_offset = padded(written, alignment) if listed else written
    file.write(bytes(data_offset - written))
    return Extent(data_offset, data_offset + data_bytes)


def write_model(
    path: str | os.PathLike[str],
    metadata: Mapping[str, Writable],
    tensors: Iterable[TensorSpec],
    *,
    alignment: int = DEFAULT_ALIGNMENT,
) -> Extent:
    """Writes a new file with this header and a hole for the tensor data; it takes the header's bytes on disk.

    Raises:
        UsageError: the file is there already, or as ``write_header``.
        ModelError: the file cannot be written.
    """
    path = Path(path)
    try:
        with path.open("xb") as file:
            try:
                extent = write_header(file, metadata, tensors, alignment=alignment)
                file.truncate(extent.file_bytes)
            except BaseException:
                path.unlink()
                raise
    except FileExistsError as failure:
        raise UsageError(f"{path} exists", hint="choose another name, or remove it first") from failure
    except OSError as failure:
        raise ModelError(f"cannot be written: {failure.strerror}", file=str(path)) from failure
    return extent


def write_stub(header: Header, path: str | os.PathLike[str]) -> Extent:
    """Writes a stub of a model: what decides the engine's memory, at about 20 KB on disk.

    Metadata are copied unread, and all shards become one file. The tokenizer, which takes most of a header and of the
    engine's time, becomes ``no_vocab`` with ``{arch}.vocab_size``. That is the length of the token list, as the engine
    takes it from there and not from a ``vocab_size`` that the file may have (``llama_vocab::impl::load``,
    src/llama-vocab.cpp, 0c1e57098).

    Raises:
        UsageError, ModelError: as ``write_model``.
    """
    tensors = [(tensor.name, tensor.dims, tensor.format) for tensor in header.tensors]
    return write_model(path, stub_metadata(header), tensors, alignment=header.alignment)


def stub_metadata(header: Header) -> dict[str, Writable]:
    """The metadata of a model's stub: without tokenizer and chat template, and whole where the model was split."""
    pairs: dict[str, Writable] = {
        key: Copied(header.path, span.offset, span.bytes)
        for key, span in header.spans.items()
        if not key.startswith("split.")
        # numbers stay: the engine reads token_type_count into the hyperparameters of encoders
        and not (key.startswith(TOKENIZER_PREFIX) and span.type in (STRING, ARRAY))
    }
    pairs["tokenizer.ggml.model"] = "no_vocab"
    if header.architecture and header.vocabulary_tokens is not None:
        pairs[f"{header.architecture}.vocab_size"] = header.vocabulary_tokens
    return pairs


def _string(text: str) -> bytes:
    data = text.encode()
    return ONE_U64.pack(len(data)) + data


def _copy(file: BinaryIO, copied: Copied) -> int:
    with Path(copied.file).open("rb") as source:
        source.seek(copied.offset)
        left = copied.bytes
        while left:
            piece = source.read(min(left, 1 << 20))
            if not piece:
                raise ModelError("changed while it was copied", file=copied.file, offset=copied.offset)
            file.write(piece)
            left -= len(piece)
    return copied.bytes


def _value(key: str, value: Value | Typed | Encoded) -> bytes:
    if isinstance(value, Encoded):
        return value.data
    kind, content = (value.type, value.value) if isinstance(value, Typed) else (_default_type(key, value), value)
    if kind not in TYPE_NAMES or kind == "arr":
        raise UsageError(f"{key}: unknown GGUF type {kind!r}", hint=f"one of {' '.join(TYPE_NAMES)}, without arr")
    tag = TYPE_NAMES.index(kind)
    try:
        if isinstance(content, str) or not isinstance(content, Sequence):
            return ONE_U32.pack(tag) + _elements(tag, [content])
        return ONE_U32.pack(ARRAY) + ARRAY_HEAD.pack(tag, len(content)) + _elements(tag, content)
    except (error, OverflowError, TypeError, AttributeError) as failure:
        raise UsageError(f"{key}: {content!r} does not fit {kind}") from failure


def _elements(tag: int, content: Sequence[Scalar]) -> bytes:
    if tag == STRING:
        return b"".join(_string(text) for text in content)  # type: ignore[arg-type]
    if tag == BOOL:
        return bytes(map(bool, content))
    return Struct(f"<{len(content)}{CODES[tag]}").pack(*content)


def _default_type(key: str, value: Value) -> str:
    items = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
    kinds = {type(item) for item in items}
    if kinds == {str}:
        return "str"
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "i32" if any(item < 0 for item in items) else "u32"  # type: ignore[operator]
    if kinds and kinds <= {int, float}:
        return "f32"
    raise UsageError(f"{key}: {value!r} has no GGUF type", hint="give it as Typed, with the type of its elements")


def _tensor_infos(tensors: Sequence[TensorSpec], alignment: int) -> tuple[bytes, int]:
    """The list of tensors, and the bytes of their data with the padding after each."""
    pieces: list[bytes] = []
    names: set[str] = set()
    offset = 0
    for name, dims, format_name in tensors:
        if len(name.encode()) > MOST_NAME_BYTES:
            raise UsageError(f"the tensor name {name!r} takes more than {MOST_NAME_BYTES} bytes")
        if name in names:
            raise UsageError(f"two tensors have the name {name!r}")
        if not 1 <= len(dims) <= MOST_DIMS or min(dims) < 1:
            raise UsageError(f"tensor {name!r} has the dimensions {dims}", hint=f"1 to {MOST_DIMS} sizes of 1 and more")
        names.add(name)
        form = FORMATS.get(format_name)
        pieces += [
            _string(name),
            Struct(f"<I{len(dims)}QIQ").pack(len(dims), *dims, form.number, offset),
        ]
        offset = padded(offset + form.tensor_bytes(dims), alignment)
    return b"".join(pieces), offset
