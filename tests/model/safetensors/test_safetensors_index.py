"""The index of a split model."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import Malformed, ModelError
from memfit.model.safetensors import parse_index, read_index

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def index(folder: Path, values: Any) -> Path:
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(values))
    return path


def test_each_tensor_has_its_file(tmp_path: Path) -> None:
    for name in SHARDS:
        (tmp_path / name).touch()
    values = {"metadata": {"total_size": 12.0}, "weight_map": {"b": SHARDS[1], "a": SHARDS[0], "c": SHARDS[1]}}
    read = read_index(index(tmp_path, values))
    assert (read.total_bytes, read.files, read.places) == (12, SHARDS, {"b": 1, "a": 0, "c": 1})


def test_missing_shards_are_named(tmp_path: Path) -> None:
    (tmp_path / SHARDS[0]).touch()
    with pytest.raises(ModelError) as caught:
        read_index(index(tmp_path, {"weight_map": {"a": SHARDS[0], "b": SHARDS[1]}}))
    assert f"one shard of 2 is missing: {SHARDS[1]}" in caught.value.message
    assert str(tmp_path) in (caught.value.hint or "")


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        {"weight_map": {}},
        {"weight_map": {"a": 3}},
        {"weight_map": {"a": "../m.safetensors"}},
        {"weight_map": {"a": "/m.safetensors"}},
        {"weight_map": {"a": "sub/m.safetensors"}},
        {"weight_map": {"a": ".."}},
        {"weight_map": {"a": ""}},
        {"weight_map": {"a": "m\x00"}},
        {"weight_map": {"a": "m" * 300}},
    ],
)
def test_what_is_no_index_or_leads_elsewhere_is_refused(values: Any) -> None:
    with pytest.raises(Malformed):
        parse_index(json.dumps(values).encode(), file="i.json")


def test_a_tensor_placed_twice_is_refused() -> None:
    with pytest.raises(Malformed, match="'a' twice"):
        parse_index(b'{"weight_map":{"a":"x","a":"y"}}', file="i.json")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([b"", b'{"weight_map":{"a":"', b'{"metadata":{"total_size":']))
def test_no_bytes_are_a_traceback(raw: bytes, prefix: bytes) -> None:
    with suppress(Malformed):
        assert parse_index(prefix + raw, file="i.json").places
