from __future__ import annotations

import io
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from gguf_bytes import BOOL, F32, I32, STR, U16, U32, array, header, pair, sound, tensor, text, u32, write
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import ModelError, UsageError
from memfit.model.gguf import read_header, read_shards, writer
from memfit.model.gguf.header import Header
from memfit.model.gguf.writer import Copied, Typed, Writable, stub_metadata, write_header, write_model, write_stub
from memfit.precision import FORMATS


def written(metadata: dict[str, Writable], tensors: list[writer.TensorSpec] | None = None, **options: int) -> bytes:
    buffer = io.BytesIO()
    write_header(buffer, metadata, tensors or [], **options)
    return buffer.getvalue()


def test_default_types() -> None:
    metadata: dict[str, Writable] = {
        "int": 7,
        "negative": -7,
        "float": 0.5,
        "bool": True,
        "text": "ü",
        "ints": [1, 2],
        "negatives": [1, -2],
        "mixed": [1, 0.5],
        "bools": (True, False),
        "texts": ["a", "b"],
    }
    assert written(metadata) == header(
        [
            pair("int", U32, u32(7)),
            pair("negative", I32, struct.pack("<i", -7)),
            pair("float", F32, struct.pack("<f", 0.5)),
            pair("bool", BOOL, b"\1"),
            pair("text", STR, text("ü")),
            array("ints", U32, 2, u32(1) + u32(2)),
            array("negatives", I32, 2, struct.pack("<2i", 1, -2)),
            array("mixed", F32, 2, struct.pack("<2f", 1, 0.5)),
            array("bools", BOOL, 2, b"\1\0"),
            array("texts", STR, 2, text("a") + text("b")),
        ]
    )


def test_explicit_types() -> None:
    metadata: dict[str, Writable] = {"a": Typed("u16", 3), "b": Typed("i32", [1, 2]), "c": Typed("str", [])}
    assert written(metadata) == header(
        [
            pair("a", U16, b"\3\0"),
            array("b", I32, 2, u32(1) + u32(2)),
            array("c", STR, 0, b""),
        ]
    )


def test_tensors_follow_each_other() -> None:
    data = written({}, [("a", (256, 3), "Q4_K"), ("b", (3,), "F32"), ("c", (8, 2), "F16")])
    expected = header([], [tensor("a", (256, 3), 12, 0), tensor("b", (3,), 0, 448), tensor("c", (8, 2), 1, 480)])
    assert data[: len(expected)] == expected
    assert len(data) % 32 == 0


def test_alignment_is_written(tmp_path: Path) -> None:
    extent = write_model(
        tmp_path / "m.gguf", {"general.alignment": 7}, [("a", (1,), "F32"), ("b", (1,), "F32")], alignment=4096
    )
    found = read_header(tmp_path / "m.gguf")
    assert (found.alignment, found.data_offset, found.tensors[1].offset) == (4096, 4096, 4096)
    assert found.metadata["general.alignment"] == 4096
    assert (extent.data_offset, extent.file_bytes) == (4096, 4096 + 2 * 4096)


def test_tensor_data_is_a_hole(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    extent = write_model(path, {"general.architecture": "llama"}, [("a", (4096, 4096), "F32")])
    assert extent.file_bytes == path.stat().st_size > 64 << 20
    if path.stat().st_blocks * 512 > extent.file_bytes // 2:
        pytest.skip("this file system has no holes")
    assert path.stat().st_blocks * 512 <= 65536


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"": 1}, "a key is empty"),
        ({"k": 2**32}, "does not fit u32"),
        ({"k": -(2**31) - 1}, "does not fit i32"),
        ({"k": []}, "no GGUF type"),
        ({"k": [1, "a"]}, "no GGUF type"),
        ({"k": [True, 1]}, "no GGUF type"),
        ({"k": Typed("u8", 256)}, "does not fit u8"),
        ({"k": Typed("u8", "a")}, "does not fit u8"),
        ({"k": Typed("str", 1)}, "does not fit str"),
        ({"k": Typed("u9", 1)}, "unknown GGUF type 'u9'"),
        ({"k": Typed("arr", [1])}, "unknown GGUF type 'arr'"),
    ],
)
def test_refuses_values(metadata: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written(metadata)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([("n" * 64, (1,), "F32")], "more than 63 bytes"),
        ([("a", (1,), "F32"), ("a", (1,), "F32")], "two tensors"),
        ([("a", (), "F32")], "dimensions"),
        ([("a", (1, 1, 1, 1, 1), "F32")], "dimensions"),
        ([("a", (4, 0), "F32")], "dimensions"),
        ([("a", (100,), "Q4_K")], "whole number of Q4_K blocks"),
        ([("a", (1,), "Q9_9")], "unknown format: 'Q9_9'"),
    ],
)
def test_refuses_tensors(tensors: list[writer.TensorSpec], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written({}, tensors)


@pytest.mark.parametrize("alignment", [0, -32, 48])
def test_refuses_alignments(alignment: int) -> None:
    with pytest.raises(UsageError, match="power of two"):
        written({}, alignment=alignment)


def test_never_overwrites(tmp_path: Path) -> None:
    path = write(tmp_path, sound())
    with pytest.raises(UsageError, match="exists"):
        write_stub(read_header(path), path)
    assert path.read_bytes() == sound()


def test_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_model(tmp_path / "m.gguf", {"k": []}, [])
    with pytest.raises(ModelError, match="cannot be written"):
        write_model(tmp_path / "nowhere" / "m.gguf", {}, [])
    assert list(tmp_path.iterdir()) == []


# ---- round trips

FINITE = st.floats(allow_nan=False, width=32)
SCALARS = {
    "u8": st.integers(0, 2**8 - 1),
    "i8": st.integers(-(2**7), 2**7 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "i16": st.integers(-(2**15), 2**15 - 1),
    "u32": st.integers(0, 2**32 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "f32": FINITE,
    "f64": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "str": st.text(max_size=20),
}
typed = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda kind: st.builds(Typed, st.just(kind), SCALARS[kind] | st.lists(SCALARS[kind], max_size=5).map(tuple))
)
keys = st.text(min_size=1, max_size=12).filter(lambda key: key != "general.alignment")
names = st.text(max_size=15)
FORMAT_NAMES = tuple(sorted(form.name for form in FORMATS))


@st.composite
def tensor_specs(draw: st.DrawFn) -> writer.TensorSpec:
    form = FORMATS.get(draw(st.sampled_from(FORMAT_NAMES)))
    row = form.block_elements * draw(st.integers(1, 4))
    return draw(names), (row, *draw(st.lists(st.integers(1, 5), max_size=3))), form.name


models = st.fixed_dictionaries(
    {
        "metadata": st.dictionaries(keys, typed, max_size=8),
        "tensors": st.lists(tensor_specs(), max_size=8, unique_by=lambda spec: spec[0]),
        "alignment": st.sampled_from([1, 8, 32, 64, 4096]),
    }
)


def known(found: Header) -> dict[str, Any]:
    return {
        key: value if key not in found.arrays else found.arrays[key].count
        for key, value in {**found.metadata, **found.arrays}.items()
        if key != "general.alignment"
    }


@settings(max_examples=150, deadline=None)
@given(model=models)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, model: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("round") / "m.gguf"
    extent = write_model(path, **model)
    found = read_header(path)
    assert known(found) == {
        key: len(value.value) if key in found.arrays else value.value for key, value in model["metadata"].items()
    }
    assert [(one.name, one.dims, one.format) for one in found.tensors] == model["tensors"]
    assert [one.bytes for one in found.tensors] == [
        FORMATS.get(form).tensor_bytes(dims) for _, dims, form in model["tensors"]
    ]
    assert (found.data_offset, found.file_bytes) == (extent.data_offset, extent.file_bytes)
    assert found.alignment == model["alignment"]


@settings(max_examples=50, deadline=None)
@given(model=models)
def test_copies_are_byte_equal(tmp_path_factory: pytest.TempPathFactory, model: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("copy")
    write_model(folder / "m.gguf", **model)
    found = read_header(folder / "m.gguf")
    copies = {key: Copied(found.path, span.offset, span.bytes) for key, span in found.spans.items()}
    tensors = [(one.name, one.dims, one.format) for one in found.tensors]
    write_model(folder / "copy.gguf", copies, tensors, alignment=found.alignment)
    assert (folder / "copy.gguf").read_bytes() == (folder / "m.gguf").read_bytes()


def test_special_numbers_are_kept(tmp_path: Path) -> None:
    write_model(tmp_path / "m.gguf", {"a": math.inf, "b": Typed("f64", math.nan)}, [])
    found = read_header(tmp_path / "m.gguf").metadata
    assert found["a"] == math.inf
    assert isinstance(found["b"], float)
    assert math.isnan(found["b"])


# ---- stubs

WHOLE: dict[str, Writable] = {
    "general.architecture": "llama",
    "general.name": "A model",
    "llama.block_count": 2,
    "llama.attention.head_count_kv": Typed("i32", [2, 1]),
    "llama.rope.freq_base": 10000.0,
    "llama.vocab_size": 11,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "default",
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.ggml.token_type": Typed("i32", [1, 1, 1]),
    "tokenizer.ggml.token_type_count": 2,
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.chat_template": "{{ messages }}" * 1000,
    "ple.offsets": Typed("i64", list(range(5000))),
}
TENSORS: list[writer.TensorSpec] = [("token_embd.weight", (256, 3), "Q4_K"), ("output_norm.weight", (256,), "F32")]


def test_a_stub_keeps_what_decides_memory(tmp_path: Path) -> None:
    write_model(tmp_path / "m.gguf", WHOLE, TENSORS, alignment=64)
    real = read_header(tmp_path / "m.gguf")
    write_stub(real, tmp_path / "stub.gguf")
    stub = read_header(tmp_path / "stub.gguf")
    assert stub.tensors == real.tensors
    assert stub.alignment == 64
    assert stub.metadata == {
        "general.architecture": "llama",
        "general.name": "A model",
        "general.alignment": 64,
        "llama.block_count": 2,
        "llama.attention.head_count_kv": (2, 1),
        "llama.rope.freq_base": 10000.0,
        "llama.vocab_size": 3,  # the engine counts the token list
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.model": "no_vocab",
    }
    assert stub.arrays["ple.offsets"].count == 5000
    copied, whole = stub.spans["ple.offsets"], real.spans["ple.offsets"]
    stub_bytes, real_bytes = (tmp_path / "stub.gguf").read_bytes(), (tmp_path / "m.gguf").read_bytes()
    assert stub_bytes[copied.offset :][: copied.bytes] == real_bytes[whole.offset :][: whole.bytes]


def test_a_stub_without_token_list_keeps_the_vocab_size(tmp_path: Path) -> None:
    metadata = {key: value for key, value in WHOLE.items() if key != "tokenizer.ggml.tokens"}
    write_model(tmp_path / "m.gguf", metadata, TENSORS)
    write_stub(read_header(tmp_path / "m.gguf"), tmp_path / "stub.gguf")
    assert read_header(tmp_path / "stub.gguf").metadata["llama.vocab_size"] == 11


def test_a_stub_of_shards_is_one_file(tmp_path: Path) -> None:
    split: dict[str, Writable] = {"split.count": 2, "split.tensors.count": 2}
    write_model(tmp_path / "m-00001-of-00002.gguf", {**WHOLE, **split, "split.no": 0}, TENSORS[:1])
    write_model(tmp_path / "m-00002-of-00002.gguf", {**split, "split.no": 1}, TENSORS[1:])
    real = read_shards(tmp_path / "m-00002-of-00002.gguf")
    write_stub(real, tmp_path / "stub.gguf")
    stub = read_shards(tmp_path / "stub.gguf")
    assert [(one.name, one.bytes, one.offset, one.shard) for one in stub.tensors] == [
        ("token_embd.weight", 432, 0, 0),
        ("output_norm.weight", 1024, 448, 0),
    ]
    assert not any(key.startswith("split.") for key in stub.metadata)


def test_a_stub_of_a_file_without_architecture(tmp_path: Path) -> None:
    path = write(tmp_path, header([array("tokenizer.ggml.tokens", STR, 1, text("a"))]))
    assert stub_metadata(read_header(path)) == {"tokenizer.ggml.model": "no_vocab"}


def test_a_source_that_shrinks_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, sound())
    found = read_header(path)
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="changed while it was copied"):
        write_stub(found, tmp_path / "stub.gguf")
    assert not (tmp_path / "stub.gguf").exists()
