"""The record of a safetensors header, and the bits of each number format that may stand in one."""

from __future__ import annotations

import msgspec

from memfit.model.shape import Tensor

# enum Dtype and its bitsize(), safetensors/src/tensor.rs (safetensors 0.8.0)
BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


class SafetensorsHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The header of one file.

    Attributes:
        path: the file, as it was given.
        file_bytes: its whole size, None where only its beginning is at hand.
        data_offset: where the tensors' data starts.
        metadata: ``__metadata__``, strings by string.
        tensors: in the order of their data, ``dims`` in ggml's order (the row first, so reversed), ``format`` by its
            safetensors name, offsets from ``data_offset``.
    """

    path: str
    file_bytes: int | None
    data_offset: int
    metadata: dict[str, str]
    tensors: tuple[Tensor, ...]
