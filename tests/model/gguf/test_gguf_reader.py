from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from gguf_bytes import (
    ARCHITECTURE,
    ARR,
    BOOL,
    DATA_BYTES,
    F32,
    STR,
    U8,
    U32,
    array,
    header,
    padded,
    pair,
    sound,
    tensor,
    text,
    u32,
    u64,
    write,
)

from memfit.errors import Malformed, ModelError, Truncated
from memfit.model.gguf import _cursor, _metadata, read_header
from memfit.model.gguf.header import ArrayInfo
from memfit.model.metadata import Metadata
from memfit.model.shape import Shard, Tensor

MODELS = Path(__file__).parents[3].parent / "shared" / "data" / "models"


def test_reads_every_kind_of_value(tmp_path: Path) -> None:
    path = write(tmp_path, sound())
    found = read_header(path)
    assert found.metadata == {
        "general.architecture": "llama",
        "a.u8": 254,
        "a.i8": -2,
        "a.u16": 65535,
        "a.i16": -2,
        "a.u32": 4096,
        "a.i32": -3,
        "a.f32": 0.5,
        "a.bool": True,
        "a.u64": 2**63,
        "a.i64": -(2**62),
        "a.f64": 1e-5,
        "a.numbers": (8, 0, -1),
        "a.flags": (True, False, True),
        "a.words": ("one", "zwei ü"),
        "general.alignment": 64,
        "tokenizer.ggml.scores": (0.0, -1.0, -2.0, -3.0),
    }
    assert found.metadata["a.bool"] is True
    assert found.architecture == "llama"
    assert found.version == 3
    assert found.path == str(path)


def test_walks_the_tokenizer(tmp_path: Path) -> None:
    data = sound()
    found = read_header(write(tmp_path, data))
    tokens = found.arrays["tokenizer.ggml.tokens"]
    assert tokens == ArrayInfo(type="str", count=4, offset=data.index(text("a") + text("")), bytes=38, payload_bytes=6)
    assert found.vocabulary_tokens == 4
    assert "tokenizer.ggml.tokens" not in found.metadata


def test_locates_tensors_in_the_file(tmp_path: Path) -> None:
    data = sound()
    path = write(tmp_path, data)
    found = read_header(path)
    assert found.tensors == (
        Tensor("token_embd.weight", (256, 4), "Q4_K", 576, 0),
        Tensor("blk.0.attn_norm.weight", (3,), "F32", 12, 576),
        Tensor("blk.0.attn_q.weight", (8, 2, 2, 1), "F16", 64, 640),
    )
    assert found.data_offset == len(data) - DATA_BYTES
    assert found.alignment == 64
    assert found.shards == (Shard(str(path), len(data), found.data_offset),)


def test_spans_cover_tag_and_value(tmp_path: Path) -> None:
    data = sound()
    found = read_header(write(tmp_path, data))
    for key, value in (
        ("a.u32", u32(U32) + u32(4096)),
        ("a.flags", u32(ARR) + u32(BOOL) + u64(3) + b"\x01\x00\x02"),
        ("general.architecture", u32(STR) + text("llama")),
    ):
        span = found.spans[key]
        assert data[span.offset : span.offset + span.bytes] == value


@pytest.mark.parametrize("window", [16, 31, 64, 257])
def test_any_window_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    tokens = b"".join(text("x" * (number % 23)) for number in range(500))
    data = padded(header([ARCHITECTURE, array("tokenizer.ggml.tokens", STR, 500, tokens), pair("z", U8, b"\x07")]))
    path, rich = write(tmp_path, data), write(tmp_path, sound(), "rich.gguf")
    whole = read_header(path), read_header(rich)
    monkeypatch.setattr(_cursor, "WINDOW_BYTES", window)
    assert (read_header(path), read_header(rich)) == whole
    assert whole[0].arrays["tokenizer.ggml.tokens"].payload_bytes == len(tokens) - 8 * 500
    assert whole[0].metadata["z"] == 7


def test_long_arrays_are_walked_and_short_ones_decoded(tmp_path: Path) -> None:
    most = _metadata.DECODED_COUNT
    data = header(
        [
            array("x.short", U8, most, bytes(most)),
            array("x.long", F32, most + 1, bytes(4 * (most + 1))),
            array("x.words", STR, most + 1, text("w") * (most + 1)),
            array("x.empty", U32, 0, b""),
        ]
    )
    found = read_header(write(tmp_path, data))
    assert found.metadata["x.short"] == (0,) * most
    assert found.metadata["x.empty"] == ()
    assert found.arrays["x.long"].bytes == 4 * (most + 1)
    assert found.arrays["x.words"].payload_bytes == most + 1


def test_a_long_text_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_metadata, "DECODED_BYTES", 10)
    found = read_header(
        write(tmp_path, header([pair("x.short", STR, text("y" * 10)), pair("x.json", STR, text("y" * 11))]))
    )
    assert found.metadata == {"x.short": "y" * 10}
    assert found.arrays["x.json"].payload_bytes == 11


def test_decoded_values_have_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_metadata, "MOST_DECODED_BYTES", 100)
    data = header(
        [
            pair("a", STR, text("y" * 60)),
            pair("b", STR, text("z" * 60)),
            array("c", U8, 6, bytes(6)),
            array("d", STR, 5, text("v") * 5),
            array("e", U8, 5, bytes(5)),
        ]
    )
    found = read_header(write(tmp_path, data))
    assert found.metadata == {"a": "y" * 60, "e": (0,) * 5}
    assert {key: walked.payload_bytes for key, walked in found.arrays.items()} == {"b": 60, "c": 6, "d": 5}


def test_text_need_not_be_utf8(tmp_path: Path) -> None:
    found = read_header(write(tmp_path, header([pair("general.name", STR, text(b"caf\xe9"))])))
    assert found.metadata == {"general.name": "caf\N{REPLACEMENT CHARACTER}"}


def test_version_2_is_read(tmp_path: Path) -> None:
    found = read_header(write(tmp_path, header([ARCHITECTURE], version=2)))
    assert (found.version, found.architecture) == (2, "llama")


def test_a_scalar_tensor_has_one_number(tmp_path: Path) -> None:
    data = padded(header([], [tensor("clamp", (), 0, 0)])) + bytes(4)
    assert read_header(write(tmp_path, data)).tensors == (Tensor("clamp", (1,), "F32", 4, 0),)


def test_a_file_without_tensors_ends_with_its_keys(tmp_path: Path) -> None:
    data = header([ARCHITECTURE])
    assert read_header(write(tmp_path, data)).data_offset == len(data)


def test_metadata_read_it_strictly(tmp_path: Path) -> None:
    data = header([ARCHITECTURE, pair("llama.block_count", U32, u32(2)), array("llama.x", U32, 2, u32(8) + u32(4))])
    found = read_header(write(tmp_path, data))
    metadata = Metadata(found.architecture, found.metadata, file=found.path)
    assert metadata.layer_count() == 2
    assert metadata.per_layer("x", 2) == (8, 4)


def test_the_last_tensor_needs_no_padding(tmp_path: Path) -> None:
    data = padded(header([], [tensor("x", (3,), 0, 0)]))
    assert read_header(write(tmp_path, data + bytes(12))).file_bytes == len(data) + 12
    with pytest.raises(Truncated, match=r"1 bytes are missing"):
        read_header(write(tmp_path, data + bytes(11)))


def test_the_head_of_a_download_is_read_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, sound(data=False), "model.gguf.part")
    assert len(read_header(path, partial=True).tensors) == 3
    with pytest.raises(Truncated):
        read_header(path)


def test_every_cut_is_truncated(tmp_path: Path) -> None:
    data = sound()
    path = write(tmp_path, data)
    for length in reversed(range(1, len(data))):
        os.truncate(path, length)
        with pytest.raises(Truncated) as caught:
            read_header(path)
        assert caught.value.file == str(path)
        assert "download" in (caught.value.hint or "")
        assert caught.value.offset is None or 0 <= caught.value.offset <= length


def test_every_cut_of_a_vocabulary_is_truncated(tmp_path: Path) -> None:
    data = header([ARCHITECTURE, array("tokenizer.ggml.tokens", STR, 3, text("one") + text("two") + text("three"))])
    path = write(tmp_path, data)
    assert read_header(path).vocabulary_tokens == 3
    for length in reversed(range(1, len(data))):
        os.truncate(path, length)
        with pytest.raises(Truncated) as caught:
            read_header(path)
        assert caught.value.offset is not None
        assert caught.value.offset <= length


MALFORMED = {
    "version 0": (header([], version=0), 4, "version 0"),
    "version 1": (header([], version=1), 4, "version 1"),
    "version 4": (header([], version=4), 4, "version 4"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), 4, r"big-endian GGUF file \(version 3\)"),
    "many keys": (header([], keys=2**60), 16, "keys"),
    "many tensors": (header([], tensor_count=2**60), 8, "tensors"),
    "empty key": (header([pair("", U8, b"\0")]), 24, "takes 0 bytes"),
    "long key": (header([pair("k" * 65536, U8, b"\0")]), 24, "takes 65536 bytes"),
    "key not UTF-8": (header([pair(b"\xff\xfe", U8, b"\0")]), 24, "not UTF-8"),
    "key twice": (header([pair("k", U8, b"\0"), pair("k", U8, b"\0")]), 38, "'k' twice"),
    "unknown type": (header([pair("k", 13, b"\0" * 8)]), 33, "unknown value type 13"),
    "unknown element": (header([array("k", 99, 1, b"\0" * 8)]), 33, "unknown value type 99"),
    "nested array": (header([array("k", ARR, 1, u32(U8) + u64(1) + b"\0")]), 33, "array of arrays"),
    "array of 2^60 numbers": (header([array("k", U8, 2**60, b"")]), 33, "entries"),
    "array of 2^60 strings": (header([array("k", STR, 2**60, b"")]), 33, "entries"),
    "array of 2^30 strings": (header([array("k", STR, 2**30, b"")]), None, "beyond"),
    "a string of 2^60": (header([pair("k", STR, u64(2**60))]), None, "beyond"),
    "a string of 2^64-1": (header([pair("k", STR, u64(2**64 - 1))]), None, "beyond"),
    "a token of 2^64-1": (header([array("k", STR, 2, u64(2**64 - 1) + text("a" * 9))]), None, "beyond"),
    "a token of 2^62": (header([array("k", STR, 2, u64(2**62) + text("a" * 9))]), None, "beyond"),
    "alignment 0": (header([pair("general.alignment", U32, u32(0))]), None, "is 0, not a power of two"),
    "alignment 48": (header([pair("general.alignment", U32, u32(48))]), None, "is 48, not a power of two"),
    "alignment f32": (header([pair("general.alignment", F32, struct.pack("<f", 32))]), None, "not a u32"),
    "alignment array": (header([array("general.alignment", U32, 1, u32(32))]), None, "not a u32"),
    "long name": (header([], [tensor("n" * 64, (1,), 0, 0)]), 24, "64 bytes"),
    "name not UTF-8": (header([], [tensor(b"\xff", (1,), 0, 0)]), 24, "not UTF-8"),
    "5 dims": (header([], [tensor("t", (1,) * 5, 0, 0)]), 24, "5 dimensions"),
    "2^32-1 dims": (header([], [tensor("t", (1,), 0, 0, dims_count=2**32 - 1)]), 24, "4294967295 dimensions"),
    "a dimension of 0": (header([], [tensor("t", (4, 0), 0, 0)]), 24, r"\(4, 0\)"),
    "overflowing dims": (header([], [tensor("t", (2**32, 2**32), 0, 0)]), 24, "dimensions"),
    "beyond a petabyte": (header([], [tensor("t", (2**50,), 0, 0)]), 24, "ends at byte"),
    "unknown format": (header([], [tensor("t", (1,), 99, 0)]), 24, "type number 99"),
    "withdrawn format": (header([], [tensor("t", (32,), 4, 0)]), 24, "type number 4,"),
    "broken row": (header([], [tensor("t", (255,), 12, 0)]), 24, "rows of 255"),
    "tensor twice": (header([], [tensor("t", (8,), 0, 0), tensor("t", (8,), 0, 32)]), 57, "two tensors 't'"),
    "misaligned": (header([], [tensor("t", (8,), 0, 4)]), 24, "not a multiple of 32"),
    "gap": (header([], [tensor("t", (8,), 0, 32)]), 24, "expected at 0"),
    "overlap": (header([], [tensor("t", (9,), 0, 0), tensor("s", (8,), 0, 32)]), 57, "overlaps"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_contradictions_are_malformed(tmp_path: Path, case: str) -> None:
    data, offset, message = MALFORMED[case]
    path = write(tmp_path, padded(data) + bytes(4096))
    with pytest.raises(Malformed, match=message) as caught:
        read_header(path)
    assert caught.value.file == str(path)
    assert caught.value.offset is not None
    assert 0 <= caught.value.offset <= len(data)
    if offset is not None:
        assert caught.value.offset == offset


def test_hints_say_what_to_do(tmp_path: Path) -> None:
    for case, hint in (
        ("big-endian", "gguf_convert_endian.py"),
        ("version 1", "newer conversion"),
        ("version 4", "update"),
        ("unknown format", "update"),
        ("withdrawn format", "withdrew"),
    ):
        with pytest.raises(Malformed) as caught:
            read_header(write(tmp_path, padded(MALFORMED[case][0]) + bytes(64)))
        assert hint in (caught.value.hint or "")


def test_truncation_names_the_missing_bytes(tmp_path: Path) -> None:
    data = sound()
    with pytest.raises(Truncated, match=rf"100 bytes are missing: its tensors need {len(data)}, the file has"):
        read_header(write(tmp_path, data[:-100]))


@pytest.mark.parametrize("name", ["ggml-vocab-falcon.gguf", "ggml-vocab-phi-3.gguf"])
def test_real_vocabularies(name: str) -> None:
    path = MODELS / name
    if not path.exists():
        pytest.skip("the real vocabularies are not on this machine")
    found = read_header(path)
    data = path.read_bytes()
    tokens = found.arrays["tokenizer.ggml.tokens"]
    assert tokens.count == {"ggml-vocab-falcon.gguf": 65024, "ggml-vocab-phi-3.gguf": 32064}[name]
    at, payload = tokens.offset, 0
    for _ in range(tokens.count):
        length = int.from_bytes(data[at : at + 8], "little")
        payload += length
        at += 8 + length
    assert (at, payload) == (tokens.offset + tokens.bytes, tokens.payload_bytes)
    assert found.data_offset == found.file_bytes == len(data)


def test_a_card_that_fails_is_a_model_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    path = write(tmp_path, sound())
    monkeypatch.setattr("os.pread", fail)
    with pytest.raises(ModelError, match="Input/output error"):
        read_header(path)


def test_a_file_that_shrinks_is_truncated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sound()
    path = write(tmp_path, data)
    monkeypatch.setattr("os.pread", lambda _, count, offset: data[:40][offset : offset + count])
    with pytest.raises(Truncated):
        read_header(path)


def test_short_reads_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sound()
    path = write(tmp_path, data)
    whole = read_header(path)
    monkeypatch.setattr("os.pread", lambda _, count, offset: data[offset : offset + min(count, 7)])
    assert read_header(path) == whole
