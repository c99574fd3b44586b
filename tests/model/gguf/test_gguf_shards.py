from __future__ import annotations

from pathlib import Path

import pytest

from memfit.errors import Malformed, ModelError, Truncated
from memfit.model.gguf import read_shards, shard_paths
from memfit.model.gguf.writer import Typed, Writable, write_model

NAMES = [f"model-0000{number}-of-00003.gguf" for number in (1, 2, 3)]


def numbered(index: int, count: int = 3, tensors: int = 4) -> dict[str, Writable]:
    return {
        "split.no": Typed("u16", index),
        "split.count": Typed("u16", count),
        "split.tensors.count": Typed("i32", tensors),
    }


def make(folder: Path, **changes: dict[str, Writable]) -> list[Path]:
    """Three shards with four tensors; ``s0`` to ``s2`` replace a shard's numbers."""
    paths = [folder / name for name in NAMES]
    write_model(
        paths[0],
        {"general.architecture": "llama", "llama.block_count": 2, **changes.get("s0", numbered(0))},
        [("token_embd.weight", (32, 10), "Q8_0"), ("blk.0.ffn_up.weight", (32, 4), "F16")],
    )
    write_model(paths[1], changes.get("s1", numbered(1)), [("blk.1.ffn_up.weight", (32, 4), "F16")])
    write_model(paths[2], changes.get("s2", numbered(2)), [("output.weight", (256, 10), "Q6_K")])
    return paths


@pytest.mark.parametrize("given", [0, 1, 2])
def test_any_shard_finds_all(tmp_path: Path, given: int) -> None:
    paths = make(tmp_path)
    found = read_shards(paths[given])
    assert [(tensor.name, tensor.shard, tensor.offset) for tensor in found.tensors] == [
        ("token_embd.weight", 0, 0),
        ("blk.0.ffn_up.weight", 0, 352),
        ("blk.1.ffn_up.weight", 1, 0),
        ("output.weight", 2, 0),
    ]
    assert found.path == str(paths[0])
    assert found.metadata["llama.block_count"] == 2
    assert [shard.path for shard in found.shards] == [str(path) for path in paths]
    assert found.file_bytes == sum(path.stat().st_size for path in paths)
    assert all(shard.bytes == Path(shard.path).stat().st_size for shard in found.shards)
    assert found.shards[1].data_offset != found.data_offset


@pytest.mark.parametrize(("gone", "given"), [(0, 1), (1, 0), (2, 2)])
def test_a_missing_shard_is_named(tmp_path: Path, gone: int, given: int) -> None:
    paths = make(tmp_path)
    paths[gone].unlink()
    with pytest.raises(ModelError, match=NAMES[gone]) as caught:
        read_shards(paths[given])
    assert caught.value.file == str(paths[gone])
    assert caught.value.hint == f"download it into {tmp_path}"


def test_several_missing_shards_are_counted(tmp_path: Path) -> None:
    paths = make(tmp_path)
    paths[0].unlink()
    paths[2].unlink()
    with pytest.raises(ModelError, match=f"2 shards of 3 are missing: {NAMES[0]}, {NAMES[2]}"):
        read_shards(paths[1])


def test_no_shard_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_shards(tmp_path / NAMES[0])


@pytest.mark.parametrize(
    ("changes", "message", "shard"),
    [
        ({"s1": numbered(2)}, "split.no is 2, expected 1", 1),
        ({"s1": {}}, "split.no is None, expected 1", 1),
        ({"s0": numbered(0, count=2)}, "split.count is 2, expected 3", 0),
        ({"s2": numbered(2, count=9)}, "split.count is 9, expected 3", 2),
        ({"s0": numbered(0, tensors=5)}, "split.tensors.count is 5, the shards hold 4", 0),
        ({"s0": {"split.no": 0, "split.count": 3}}, "split.tensors.count is None", 0),
        ({"s1": {"split.no": True, "split.count": 3}}, "split.no is True", 1),
    ],
)
def test_shards_must_belong_together(
    tmp_path: Path, changes: dict[str, dict[str, Writable]], message: str, shard: int
) -> None:
    paths = make(tmp_path, **changes)
    with pytest.raises(Malformed, match=message) as caught:
        read_shards(paths[0])
    assert caught.value.file == str(paths[shard])


def test_a_tensor_in_two_shards(tmp_path: Path) -> None:
    paths = make(tmp_path)
    paths[2].unlink()
    write_model(paths[2], numbered(2), [("token_embd.weight", (256, 10), "Q6_K")])
    with pytest.raises(Malformed, match=r"'token_embd\.weight' of a shard before"):
        read_shards(paths[0])


def test_a_shard_still_in_download(tmp_path: Path) -> None:
    paths = make(tmp_path)
    with paths[2].open("r+b") as file:
        file.truncate(paths[2].stat().st_size - 64)
    with pytest.raises(Truncated) as caught:
        read_shards(paths[0])
    assert caught.value.file == str(paths[2])
    assert read_shards(paths[0], partial=True).tensors[3].shard == 2


def test_a_renamed_shard_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path)[0].rename(tmp_path / "renamed.gguf")
    with pytest.raises(Malformed, match="one of 3 shards") as caught:
        read_shards(path)
    assert "NAME-00001-of-00003.gguf" in (caught.value.hint or "")


def test_one_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "single.gguf"
    write_model(path, {"general.architecture": "llama"}, [("x", (4,), "F32")])
    assert shard_paths(path) == (path,)
    found = read_shards(path)
    assert [tensor.shard for tensor in found.tensors] == [0]
    assert len(found.shards) == 1


def test_names_of_shards() -> None:
    assert [path.name for path in shard_paths("/m/a-00002-of-00002.gguf")] == [
        "a-00001-of-00002.gguf",
        "a-00002-of-00002.gguf",
    ]
    for name in ("a-00003-of-00002.gguf", "a-00000-of-00002.gguf", "a-1-of-2.gguf", "-00001-of-00002.gguf", "a.gguf"):
        assert shard_paths(Path("/m") / name) == (Path("/m") / name,)
    assert len(shard_paths("/m/x-00001-of-00002-00001-of-00003.gguf")) == 3
