"""The record of a GGUF header: what a file says about itself, and where each value lies."""

from __future__ import annotations

import msgspec

from memfit.model.metadata import Value
from memfit.model.shape import Shard, Tensor


class ArrayInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An array that was walked and not decoded. Offsets and sizes in bytes of the file.

    Attributes:
        type: GGUF's name of an element's type, ``str`` or ``f32``.
        count: elements; 1 for a single text too long to be decoded.
        offset: where the first element starts (for a string: its length).
        bytes: what all elements take in the file.
        payload_bytes: the same without the length that precedes each string.
    """

    type: str
    count: int
    offset: int
    bytes: int
    payload_bytes: int


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a value lies in its file, from its type tag to its end, so that it can be copied unread.

    ``type`` is the tag, 9 for every array.
    """

    offset: int
    bytes: int
    type: int


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The header of a GGUF file, or of all shards of one model.

    Attributes:
        path: the file; the first one of a set of shards.
        version: of the GGUF format, 2 or 3.
        file_bytes: of all shards together.
        alignment: tensor data starts at multiples of it.
        data_offset: where the tensor data starts, in ``path``.
        metadata: values by key; keys of ``arrays`` are not among them.
        arrays: what was walked only: all string arrays of the tokenizer, and everything long.
        spans: where each value of ``path`` lies, by key.
        tensors: in the file's order; ``offset`` counts from the ``data_offset`` of the tensor's shard.
        shards: the files, one for a model that is not split.
    """

    path: str
    version: int
    file_bytes: int
    alignment: int
    data_offset: int
    metadata: dict[str, Value]
    arrays: dict[str, ArrayInfo]
    spans: dict[str, Span]
    tensors: tuple[Tensor, ...]
    shards: tuple[Shard, ...]

    @property
    def architecture(self) -> str:
        """The value of ``general.architecture``, empty where the file names none."""
        name = self.metadata.get("general.architecture", "")
        return name if isinstance(name, str) else ""

    @property
    def vocabulary_tokens(self) -> int | None:
        """Entries of the token list, None where the file has no tokenizer of its own."""
        tokens = self.arrays.get("tokenizer.ggml.tokens")
        return None if tokens is None else tokens.count
