"""Headers of safetensors files, sound and damaged."""

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import Malformed, ModelError, NotAModel, Truncated
from memfit.model.safetensors import BITS, parse_header, read_header


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


SOUND = {
    "__metadata__": {"format": "pt"},
    "b.weight": entry("BF16", [3, 4], 0, 24),
    "a.bias": entry("F32", [], 24, 28),
    "empty": entry("I64", [0, 7], 28, 28),
    "packed": entry("F4", [2, 3], 28, 31),
}


def written(folder: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return path


def test_a_sound_file_is_read_without_its_data(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, SOUND, bytes(31)))
    assert header.metadata == {"format": "pt"}
    first, second, empty, packed = header.tensors
    assert (first.name, first.dims, first.format, first.bytes, first.offset) == ("b.weight", (4, 3), "BF16", 24, 0)
    assert (second.dims, second.bytes, empty.bytes) == ((), 4, 0)
    assert (packed.dims, packed.elements, packed.bytes) == ((3, 2), 6, 3)
    assert header.data_offset + 31 == header.file_bytes


@pytest.mark.parametrize(("dtype", "bits"), BITS.items())
def test_every_number_format_has_its_bits(tmp_path: Path, dtype: str, bits: int) -> None:
    path = written(tmp_path, {"t": entry(dtype, [8], 0, bits)}, bytes(bits))
    assert read_header(path).tensors[0].bytes == bits


@pytest.mark.parametrize(
    ("header", "data", "complaint"),
    [
        ({"t": entry("XX", [1], 0, 1)}, 1, "dtype 'XX', which safetensors does not know"),
        ({"t": entry("F32", [2], 0, 4)}, 4, "is 4 bytes long, and its shape [2] of F32 needs 8"),
        ({"t": entry("F4", [3], 0, 1)}, 1, "needs 1.5"),
        ({"t": entry("F32", [-1], 0, 4)}, 4, "the shape of 't'"),
        ({"t": entry("F32", [True], 0, 4)}, 4, "the shape of 't'"),
        ({"t": entry("F32", [2**62, 2**62], 0, 4)}, 4, "more numbers than fit in 64 bits"),
        ({"t": entry("F32", [1] * 33, 0, 4)}, 4, "a list of up to 32"),
        ({"t": entry("F32", [1], 4, 0)}, 4, "data_offsets of 't'"),
        ({"t": entry("F32", [1], 4, 8)}, 8, "leaves 4 bytes unused"),
        ({"t": entry("F32", [1], 0, 4), "u": entry("F32", [1], 2, 6)}, 6, "'u' overlaps the tensor before it"),
        ({"t": {"dtype": "F32", "shape": [1]}}, 4, "is not an object of dtype, shape and data_offsets"),
        ({"t": 3}, 0, "is not an object of dtype"),
        ({"__metadata__": {"a": 1}}, 0, "__metadata__ is not an object of strings"),
        (b'{"t":{},"t":{}}', 0, "has the name 't' twice"),
        (b'{"t":', 0, "is not JSON"),
        (b'{"t":\xff}', 0, "is not UTF-8"),
        (b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1, "is no text"),
        (b'{"t":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 0, "nested too deep"),
        (b'{"t":[' + b"[]," * 300_000 + b"1]}", 0, "far more than the 0 tensors"),
        (b'{"t":' + b"9" * 5000 + b"}", 0, "too many digits"),
        ({"t": entry("U8", [4], 0, 4)}, 5, "has 1 bytes behind its last tensor"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, header: Any, data: int, complaint: str) -> None:
    path = written(tmp_path, header, bytes(data))
    with pytest.raises(Malformed) as caught:
        read_header(path)
    assert str(path) in caught.value.message
    assert complaint in caught.value.message


def test_a_length_that_lies_allocates_nothing(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="the format allows 100000000"):
        read_header(written(tmp_path, SOUND, bytes(31), length=2**63))
    with pytest.raises(Malformed, match="memfit reads"):
        read_header(written(tmp_path, SOUND, bytes(31), length=99_000_000))
    with pytest.raises(Truncated, match="announces a header of 9000 bytes"):
        read_header(written(tmp_path, SOUND, bytes(31), length=9000))


def test_a_download_that_broke_off_says_how_much_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path, SOUND, bytes(30))
    with pytest.raises(Truncated, match="1 bytes are missing"):
        read_header(path)
    assert read_header(path, partial=True).tensors


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", b"PK\x03\x04" * 9]
)
def test_something_else_is_no_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises((NotAModel, Truncated)):
        read_header(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_header(tmp_path / "m.safetensors")


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.sampled_from(sorted(BITS))),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4)),
    max_leaves=12,
)
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.one_of(st.sampled_from(["F32", "BF16", "F4", "U8"]), VALUES),
        "shape": st.one_of(st.lists(st.integers(0, 9), max_size=4), VALUES),
        "data_offsets": st.one_of(st.lists(st.integers(-1, 99), min_size=2, max_size=2), VALUES),
    }
)


@settings(max_examples=300, deadline=None)
@given(header=st.dictionaries(st.text(max_size=9), st.one_of(ENTRIES, VALUES), max_size=4), size=st.integers(0, 300))
def test_no_header_is_a_traceback(header: dict[str, Any], size: int) -> None:
    raw = json.dumps(header).encode()
    try:
        read = parse_header(raw, file="m.safetensors", file_bytes=8 + len(raw) + size)
    except ModelError:
        return
    assert sum(tensor.bytes for tensor in read.tensors) == size


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200), prefix=st.sampled_from([b"", b"{", b'{"a":{"dtype":"F32","shape":[']))
def test_no_bytes_are_a_traceback(tmp_path_factory: pytest.TempPathFactory, raw: bytes, prefix: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    path.write_bytes(struct.pack("<Q", len(prefix + raw)) + prefix + raw)
    with suppress(ModelError):
        read_header(path)
    path.write_bytes(prefix + raw)
    with suppress(ModelError):
        read_header(path)
