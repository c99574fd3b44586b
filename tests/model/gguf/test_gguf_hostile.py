"""Whatever the bytes: a header is read or refused with a ModelError, in bounded memory."""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_bytes import STR, U8, array, header, padded, pair, sound, tensor, text, u64, write
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import Malformed, ModelError, Truncated
from memfit.model.gguf import _cursor, read_header
from memfit.model.gguf.header import Header

MEMORY_BYTES = 4 << 20  # for a header that decodes to little; the window alone takes 512 KiB


@pytest.fixture
def peak() -> Iterator[None]:
    """Fails where the test takes more memory than a reader of headers may."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
    finally:
        tracemalloc.stop()


def attempt(path: Path) -> Header | None:
    try:
        found = read_header(path)
    except ModelError:
        return None
    # what is accepted is sound
    assert all(tensor.bytes > 0 for tensor in found.tensors)
    assert set(found.spans) == set(found.metadata) | set(found.arrays)
    assert sum(span.bytes for span in found.spans.values()) < found.file_bytes
    return found


def test_every_byte_changed(tmp_path: Path) -> None:
    data = sound()
    path = write(tmp_path, data)
    accepted = 0
    with path.open("r+b", buffering=0) as file:
        for at in range(len(sound(data=False))):
            for value in {0, 0xFF, data[at] ^ 0x80, (data[at] + 1) & 0xFF} - {data[at]}:
                os.pwrite(file.fileno(), bytes([value]), at)
                accepted += attempt(path) is not None
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert attempt(path) is not None
    assert accepted > 100  # a letter of a name may be any letter: the test does not only meet refusals


edits = st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=9)), min_size=1, max_size=6)
numbers = st.sampled_from([0, 1, 2**16, 2**30, 2**31 - 1, 2**32 - 1, 2**60, 2**63 - 1, 2**63, 2**64 - 1])


@settings(max_examples=400, deadline=None)
@given(edits=edits, cut=st.integers(0, 2**16) | st.none())
def test_any_bytes_changed(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes]], cut: int | None
) -> None:
    data = bytearray(sound())
    for at, piece in edits:
        at %= len(data)
        data[at : at + len(piece)] = piece
    if cut is not None:
        del data[cut % len(data) :]
    attempt(write(tmp_path_factory.getbasetemp(), bytes(data), "changed.gguf"))


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 2**16), value=numbers)
def test_any_count_replaced(tmp_path_factory: pytest.TempPathFactory, at: int, value: int) -> None:
    data = bytearray(sound())
    at %= len(data) - 8
    data[at : at + 8] = struct.pack("<Q", value)
    attempt(write(tmp_path_factory.getbasetemp(), bytes(data), "counts.gguf"))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=600), magic=st.booleans())
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, magic: bool) -> None:
    prefix = b"GGUF\3\0\0\0" if magic else b""
    attempt(write(tmp_path_factory.getbasetemp(), prefix + data, "random.gguf"))


HOSTILE = {
    "keys": header([], keys=2**16),
    "tensors": header([], tensor_count=2**17),
    "strings": header([array("k", STR, 2**30, b"")]),
    "tokens": header([array("tokenizer.ggml.tokens", STR, 2**25, b"")]),
    "numbers": header([array("k", U8, 2**30, b"")]),
    "a text": header([pair("k", STR, u64(2**29))]),
    "a name": header([], [u64(2**29)]),
    "a key": header([u64(2**29)]),
}


@pytest.mark.usefixtures("peak")
@pytest.mark.parametrize("case", HOSTILE)
def test_large_counts_take_no_memory(tmp_path: Path, case: str) -> None:
    with pytest.raises(ModelError):
        read_header(write(tmp_path, HOSTILE[case]))


@pytest.mark.usefixtures("peak")
@pytest.mark.parametrize("case", HOSTILE)
def test_a_sparse_file_backs_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    # a terabyte of hole costs its author nothing, so the file's size alone bounds nothing
    monkeypatch.setattr(_cursor, "MOST_HEADER_BYTES", 1 << 20)
    path = write(tmp_path, HOSTILE[case])
    with path.open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(Malformed):
        read_header(path)


@pytest.mark.usefixtures("peak")
def test_a_header_of_any_length_takes_one_window(tmp_path: Path) -> None:
    tokens = b"".join(text(b"token") for _ in range(400_000))
    path = write(tmp_path, header([array("tokenizer.ggml.tokens", STR, 400_000, tokens)]))
    tracemalloc.clear_traces()
    del tokens
    tracemalloc.reset_peak()
    assert path.stat().st_size > MEMORY_BYTES
    assert read_header(path).vocabulary_tokens == 400_000


def test_a_sparse_file_backs_its_tensors(tmp_path: Path) -> None:
    path = write(tmp_path, padded(header([], [tensor("t", (2**30,), 0, 0)])))
    with pytest.raises(Truncated, match="bytes are missing"):
        read_header(path)
    with path.open("ab") as file:
        file.truncate(2**33)
    assert read_header(path).tensors[0].bytes == 2**32
