from collections.abc import Callable
from pathlib import Path

import pytest

from memfit.errors import ModelError, UnknownArchitecture, UnknownName, UsageError
from memfit.model import find_model, in_preset, read_shape
from memfit.model.gguf.writer import write_model


def unknown(folder: Path, architecture: str = "llama9") -> Path:
    path = folder / "new.gguf"
    write_model(
        path,
        {"general.architecture": architecture, f"{architecture}.block_count": 1},
        [("token_embd.weight", (32, 32), "F16")],
    )
    return path


def test_a_name_longer_than_any_file_is_no_traceback() -> None:
    with pytest.raises(UnknownName):
        find_model("m" * 300)
    with pytest.raises(ModelError, match="cannot be opened"):
        find_model("m" * 300 + ".gguf")


@pytest.mark.parametrize("read", [find_model, read_shape])
def test_an_empty_name_says_so(read: Callable[[str], object]) -> None:
    with pytest.raises(UsageError, match="without a name"):
        read("")


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("Qwen/Qwen3-8B-GGUF", "Qwen3-8B"),
        ("Qwen/Qwen3-8B-GGUF:Q4_K_M", "Qwen3-8B"),
        ("s3://bucket/Qwen3-8B.gguf", "Qwen3-8B"),
        ("file://host/model.gguf", None),
        ("someone/something", None),
    ],
)
@pytest.mark.parametrize("read", [find_model, read_shape])
def test_what_could_be_elsewhere_is_told_how_to_say_so(
    read: Callable[[str], object], name: str, card: str | None
) -> None:
    with pytest.raises(ModelError, match="no such file or folder") as caught:
        read(name)
    hint = caught.value.hint or ""
    assert "memfit reads https:// and hf://" in hint if "://" in name else "hf://" in hint
    assert hint.endswith(f"memfit estimate {card}") if card else "memfit estimate" not in hint


def test_a_folder_that_is_here_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="no such file") as caught:
        find_model("models/qwen")
    assert "hf://" not in (caught.value.hint or "")


def test_an_unknown_architecture_names_file_architecture_and_nearest(tmp_path: Path) -> None:
    path = unknown(tmp_path)
    with pytest.raises(UnknownArchitecture) as caught:
        read_shape(path)
    assert str(path) in caught.value.message
    assert "'llama9'" in caught.value.message
    assert "nearest known: llama" in (caught.value.hint or "")


def test_one_that_is_like_none_says_where_they_are_listed(tmp_path: Path) -> None:
    with pytest.raises(UnknownArchitecture) as caught:
        read_shape(unknown(tmp_path, "zzzz"))
    assert "memfit list architectures" in (caught.value.hint or "")


def test_a_preset_needs_layers(tmp_path: Path) -> None:
    shape = read_shape(unknown(tmp_path), known_only=False)
    with pytest.raises(UnknownArchitecture, match="cannot tell the tensors of Q4_K_M") as caught:
        in_preset(shape, "Q4_K_M")
    assert "without --format" in (caught.value.hint or "")


def test_missing_shards_say_where_they_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m-00001-of-00003.gguf").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as caught:
        find_model("m-00001-of-00003.gguf")
    assert caught.value.hint == f"download them into {tmp_path}"
    (tmp_path / "m-00002-of-00003.gguf").touch()
    with pytest.raises(ModelError) as caught:
        find_model("m-00001-of-00003.gguf")
    assert caught.value.hint == f"download it into {tmp_path}"
