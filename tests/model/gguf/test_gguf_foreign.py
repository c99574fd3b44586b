"""Files that are no GGUF model: each is recognised and the hint says what to do."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from gguf_bytes import sound, write

from memfit.errors import ModelError, NotAModel, Truncated
from memfit.model import find_model
from memfit.model.gguf import read_header


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"weights")
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.gguf"))
    return buffer.getvalue()


SAFETENSORS = b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4665a5ea423c\nsize 1929903264\n"

FOREIGN = {
    "empty": (b"", "is empty", "download"),
    "LFS pointer": (POINTER, "git-LFS pointer to a file of 1929903264 bytes", "git lfs pull"),
    "gzip": (gzip.compress(b"GGUF"), "gzip", "gunzip"),
    "zip": (_zip("model.gguf"), "zip archive", "unzip"),
    "PyTorch zip": (_zip("archive/data.pkl"), "PyTorch", "convert_hf_to_gguf.py"),
    "PyTorch pickle": (pickle.dumps({"weight": 1}, protocol=2), "pickle", "convert_hf_to_gguf.py"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04\x00", "zstd", "zstd -d"),
    "xz": (b"\xfd7zXZ\x00\x00\x04", "xz", "xz -d"),
    "bzip2": (b"BZh91AY", "bzip2", "bunzip2"),
    "tar": (_tar(), "tar archive", "tar -xf"),
    "safetensors": (len(SAFETENSORS).to_bytes(8, "little") + SAFETENSORS, "safetensors", "convert_hf_to_gguf.py"),
    "HTML": (b"\n<!DOCTYPE html><html><head><title>404</title>", "web page", "download it again"),
    "S3 error": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>', "XML", "download it again"),
    "JSON": (b'{"error":"Repository not found"}', "JSON", "download"),
    "server text": (b"Entry not found", "'Entry not found'", "download"),
    "GGML": (b"lmgg" + bytes(60), "old GGML", "download a GGUF"),
    "GGJT": (b"tjgg\x03\0\0\0" + bytes(60), "old GGJT", "download a GGUF"),
    "GGLA": (b"algg\x01\0\0\0" + bytes(60), "LoRA", "convert_lora_to_gguf.py"),
    "unknown": (b"\x93\x07\x11\x99\xfe\xed\0\0", r"with b'\\x93\\x07", "gguf"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_recognised(tmp_path: Path, case: str) -> None:
    data, message, hint = FOREIGN[case]
    path = write(tmp_path, data)
    with pytest.raises(NotAModel, match=message) as caught:
        read_header(path)
    assert caught.value.file == str(path)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(("suffix", "what"), [(".onnx", "ONNX"), (".engine", "TensorRT"), (".tflite", "TensorFlow")])
def test_recognised_by_name(tmp_path: Path, suffix: str, what: str) -> None:
    with pytest.raises(NotAModel, match=what):
        read_header(write(tmp_path, b"\x08\x08\x12\x07pytorch\xff", "model" + suffix))


def test_reserved_space_is_an_unfinished_download(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Truncated, match="zeros only"):
        read_header(path)


@pytest.mark.parametrize("suffix", [".part", ".incomplete", ".aria2", ".crdownload"])
def test_downloads_in_progress(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(Truncated, match="download") as caught:
        read_header(write(tmp_path, sound(), "model.gguf" + suffix))
    assert "resume" in (caught.value.hint or "")


def test_aria2_keeps_its_list_beside_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, sound())
    read_header(path)
    write(tmp_path, b"\0\1", "model.gguf.aria2")
    with pytest.raises(Truncated, match=r"model\.gguf\.aria2 lies beside it"):
        read_header(path)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    near = write(tmp_path, sound(), "Llama-3.2-3B-Q4_K_M.gguf")
    write(tmp_path, sound(), "other.gguf")
    with pytest.raises(ModelError, match="no such file") as caught:
        read_header(tmp_path / "Llama-3.2-3B-Q4_K_S.gguf")
    assert caught.value.hint == f"did you mean {near}?"
    assert type(caught.value) is ModelError


def test_a_missing_file_lists_the_models_there(tmp_path: Path) -> None:
    write(tmp_path, sound(), "qwen.gguf")
    with pytest.raises(ModelError) as caught:
        read_header(tmp_path / "zzzzzzzzzzzzzzzz")
    assert caught.value.hint == f"models in {tmp_path}: qwen.gguf"


@pytest.mark.parametrize("name", ["nowhere/model.gguf", "zero\0byte.gguf", "n" * 300 + ".gguf", "file.gguf/below.gguf"])
def test_impossible_paths(tmp_path: Path, name: str) -> None:
    write(tmp_path, sound(), "file.gguf")
    with pytest.raises(ModelError):
        read_header(tmp_path / name)


def test_a_name_of_the_longest_length_is_read(tmp_path: Path) -> None:
    # beside it there cannot be a .aria2, and asking for one fails
    read_header(write(tmp_path, sound(), "n" * 250 + ".gguf"))


def test_links(tmp_path: Path) -> None:
    (tmp_path / "dangling.gguf").symlink_to(tmp_path / "blobs" / "gone")
    (tmp_path / "circle.gguf").symlink_to(tmp_path / "circle.gguf")
    (tmp_path / "good.gguf").symlink_to(write(tmp_path, sound(), "blob"))
    with pytest.raises(ModelError, match=r"is a link to .*gone, which does not exist"):
        read_header(tmp_path / "dangling.gguf")
    with pytest.raises(ModelError, match="cannot be opened"):
        read_header(tmp_path / "circle.gguf")
    assert read_header(tmp_path / "good.gguf").path == str(tmp_path / "good.gguf")


def test_a_link_that_leads_nowhere_is_no_name_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("round").symlink_to("round")
    Path("gone").symlink_to("nothing")
    with pytest.raises(ModelError, match="round: cannot be opened") as caught:
        find_model("round")
    assert "in a circle" in (caught.value.hint or "")
    with pytest.raises(ModelError, match="gone: is a link to nothing"):
        find_model("gone")


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(NotAModel, match="is a folder") as caught:
        read_header(tmp_path)
    assert caught.value.hint == "there is neither a .gguf file nor a config.json in it: give the path of one"
    write(tmp_path, b"{}", "config.json")
    with pytest.raises(NotAModel) as caught:
        read_header(tmp_path)
    assert "convert_hf_to_gguf.py" in (caught.value.hint or "")
    model = write(tmp_path, sound())
    with pytest.raises(NotAModel) as caught:
        read_header(tmp_path)
    assert caught.value.hint == f"give the file: {model}"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(NotAModel, match="not a regular file"):
        read_header(tmp_path / "pipe.gguf")
    with pytest.raises(NotAModel, match="not a regular file"):
        read_header("/dev/zero")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, sound())

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # chmod would not stop root, under which CI may run
    with pytest.raises(ModelError, match="no permission to read") as caught:
        read_header(path)
    assert "chmod" in (caught.value.hint or "")
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ModelError, match="no permission to look into its folder"):
        read_header(path)
