"""GGUF files written byte by byte, so that tests of the reader do not lean on memfit's writer."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 = range(13)
TYPE_F32, TYPE_F16, TYPE_Q4_K = 0, 1, 12  # enum ggml_type


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return u64(len(data)) + data


def pair(key: str | bytes, tag: int, value: bytes) -> bytes:
    return text(key) + u32(tag) + value


def array(key: str, tag: int, count: int, elements: bytes) -> bytes:
    return pair(key, ARR, u32(tag) + u64(count) + elements)


def tensor(name: str | bytes, dims: Sequence[int], number: int, offset: int, *, dims_count: int | None = None) -> bytes:
    sizes = b"".join(u64(size) for size in dims)
    return text(name) + u32(len(dims) if dims_count is None else dims_count) + sizes + u32(number) + u64(offset)


def header(
    pairs: Sequence[bytes] = (),
    tensors: Sequence[bytes] = (),
    *,
    version: int = 3,
    keys: int | None = None,
    tensor_count: int | None = None,
) -> bytes:
    counts = u64(len(tensors) if tensor_count is None else tensor_count) + u64(len(pairs) if keys is None else keys)
    return b"GGUF" + u32(version) + counts + b"".join(pairs) + b"".join(tensors)


def padded(data: bytes, alignment: int = 32) -> bytes:
    return data + bytes(-len(data) % alignment)


ARCHITECTURE = pair("general.architecture", STR, text("llama"))

# every type of value, a tokenizer, tensors of three formats
PAIRS = (
    ARCHITECTURE,
    pair("a.u8", U8, b"\xfe"),
    pair("a.i8", I8, b"\xfe"),
    pair("a.u16", U16, struct.pack("<H", 65535)),
    pair("a.i16", I16, struct.pack("<h", -2)),
    pair("a.u32", U32, u32(4096)),
    pair("a.i32", I32, struct.pack("<i", -3)),
    pair("a.f32", F32, struct.pack("<f", 0.5)),
    pair("a.bool", BOOL, b"\x01"),
    pair("a.u64", U64, u64(2**63)),
    pair("a.i64", I64, struct.pack("<q", -(2**62))),
    pair("a.f64", F64, struct.pack("<d", 1e-5)),
    array("a.numbers", I32, 3, struct.pack("<3i", 8, 0, -1)),
    array("a.flags", BOOL, 3, b"\x01\x00\x02"),
    array("a.words", STR, 2, text("one") + text("zwei ü")),
    pair("general.alignment", U32, u32(64)),
    array("tokenizer.ggml.tokens", STR, 4, text("a") + text("") + text("ccc") + text("dd")),
    array("tokenizer.ggml.scores", F32, 4, struct.pack("<4f", 0, -1, -2, -3)),
)
TENSORS = (
    tensor("token_embd.weight", (256, 4), TYPE_Q4_K, 0),  # 4 blocks of 144 bytes: 576, a multiple of 64
    tensor("blk.0.attn_norm.weight", (3,), TYPE_F32, 576),
    tensor("blk.0.attn_q.weight", (8, 2, 2, 1), TYPE_F16, 640),
)
DATA_BYTES = 704


def sound(data: bool = True) -> bytes:
    """The bytes of a sound file with alignment 64."""
    return padded(header(PAIRS, TENSORS), 64) + bytes(DATA_BYTES if data else 0)


def write(folder: Path, data: bytes, name: str = "model.gguf") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
