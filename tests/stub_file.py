"""Writes GGUF files with every key and tensor of a model and a hole where the numbers would be."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ALIGNMENT = 32
U8, U32, I32, F32, BOOL, STRING, ARRAY, U64 = 0, 4, 5, 6, 7, 8, 9, 10
TYPE_BYTES = {"F32": (0, 4), "F16": (1, 2)}

StubTensor = tuple[str, Sequence[int], str]


def write_stub(path: Path, values: Mapping[str, Any], tensors: Iterable[StubTensor]) -> int:
    """Write the header and make the file as long as its tensors; returns the bytes of the tensor data."""
    infos, offset = [], 0
    for name, dims, kind in tensors:
        number, size = TYPE_BYTES[kind]
        infos.append(_text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, offset))
        for dim in dims:
            size *= dim
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    header = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(values))
    header += b"".join(_text(key) + _typed(value) for key, value in values.items()) + b"".join(infos)
    header += b"\0" * (-len(header) % ALIGNMENT)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + offset)
    return offset


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _typed(value: Any) -> bytes:
    number, content = _scalar(value) if not isinstance(value, (list, tuple)) else (ARRAY, _array(value))
    return struct.pack("<I", number) + content


def _array(values: Sequence[Any]) -> bytes:
    kinds = {_scalar(value)[0] for value in values}
    number = kinds.pop() if len(kinds) == 1 else F32
    return struct.pack("<IQ", number, len(values)) + b"".join(_scalar(value)[1] for value in values)


def _scalar(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return (U32, struct.pack("<I", value)) if value >= 0 else (I32, struct.pack("<i", value))
    if isinstance(value, float):
        return F32, struct.pack("<f", value)
    return STRING, _text(value)
