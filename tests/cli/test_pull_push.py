"""``memfit pull`` and ``memfit push`` as they are typed."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from folders import LLAMA, llama_tensors, write_folder
from memfit.cli._group import run
from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.gguf.writer import write_model
from range_server import RangeServer, serving


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path / "served") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def model(path: Path, preset: str = "Q2_K") -> Path:
    shape = card_shape(CARDS.get("smollm2_135m"), preset)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, CARDS.get("smollm2_135m").header(), [(one.name, one.dims, one.format) for one in shape.tensors])
    return path


def published(server: RangeServer, *files: Path, wrong: bool = False) -> None:
    folder = server.folder / "org/repo/resolve/main"
    entries = [
        {
            "type": "file",
            "path": str(file.relative_to(folder)),
            "size": file.stat().st_size,
            "lfs": {"oid": "0" * 64 if wrong else hashlib.sha256(file.read_bytes()).hexdigest()},
        }
        for file in files
    ]
    server.pages["/api/models/org/repo/tree/main"] = json.dumps(entries).encode()


def test_a_model_is_brought_and_checked(hub: RangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = model(hub.folder / "org/repo/resolve/main/one.gguf")
    published(hub, file)
    assert run(["pull", "hf://org/repo/one.gguf", "--to", "here", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"][0]["checked"]
    assert (tmp_path / "here/one.gguf").read_bytes() == file.read_bytes()
    assert run(["pull", "hf://org/repo", "--to", "here"]) == 0
    out = capsys.readouterr().out
    assert "were here already" in out
    assert "as published" in out
    assert "memfit estimate here/one.gguf" in out


def test_another_checksum_ends_it(hub: RangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published(hub, model(hub.folder / "org/repo/resolve/main/one.gguf"), wrong=True)
    assert run(["pull", "hf://org/repo/one.gguf"]) == 4
    assert "checksum is" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.gguf*"))


def test_a_checkpoint_has_a_folder_of_its_own(hub: RangeServer, tmp_path: Path) -> None:
    folder = hub.folder / "org/repo/resolve/main"
    folder.mkdir(parents=True)
    files = [folder / name for name in ("config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json")]
    for file in files:
        file.write_text("{}")
    published(hub, *files)
    assert run(["pull", "hf://org/repo"]) == 0
    assert {path.name for path in (tmp_path / "repo").iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    }


def test_of_several_models_one_must_be_named(hub: RangeServer, capsys: pytest.CaptureFixture[str]) -> None:
    folder = hub.folder / "org/repo/resolve/main"
    published(hub, model(folder / "a-Q2_K.gguf"), model(folder / "a-Q4_0.gguf", "Q4_0"))
    assert run(["pull", "hf://org/repo"]) == 4
    assert "hf://org/repo/a-Q2_K.gguf" in capsys.readouterr().err
    assert run(["pull", "hf://org/repo/b.gguf"]) == 4
    assert "it holds a-Q2_K.gguf" in capsys.readouterr().err


def test_from_a_mirror_nothing_is_asked(hub: RangeServer, tmp_path: Path) -> None:
    file = model(tmp_path / "mirror/org/repo/one.gguf")
    assert run(["pull", "hf://org/repo/one.gguf", "--mirror", "mirror"]) == 0
    assert (tmp_path / "one.gguf").read_bytes() == file.read_bytes()
    assert hub.requests == []


def test_any_server_with_a_checksum_of_ones_own(hub: RangeServer, capsys: pytest.CaptureFixture[str]) -> None:
    file = model(hub.folder / "one.gguf")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert run(["pull", f"{hub.url}/one.gguf", "--sha256", digest.upper(), "--to", "x"]) == 0
    assert run(["pull", f"{hub.url}/one.gguf", "--sha256", "12", "--to", "x"]) == 2
    assert "64 hexadecimal digits" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Llama-3.2-3B", "model.gguf", "ollama:x"])
def test_what_is_nowhere_is_not_brought(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pull", name]) == 2
    assert "hf://org/repo" in capsys.readouterr().err


def test_a_model_is_sent_to_a_drive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = model(tmp_path / "one.gguf")
    (tmp_path / "drive").mkdir()
    assert run(["push", str(file), str(tmp_path / "drive"), "--dry-run"]) == 0
    planned = capsys.readouterr().out
    assert "Gigabit Ethernet" in planned
    assert not list((tmp_path / "drive").iterdir())
    assert run(["push", str(file), str(tmp_path / "drive"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"][0]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (tmp_path / "drive/one.gguf").read_bytes() == file.read_bytes()
    assert run(["push", str(file), str(tmp_path / "drive")]) == 0
    assert "there already" in capsys.readouterr().out


def test_a_model_of_ollama_s_store_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    blob = model(tmp_path / "ollama/blobs" / f"sha256-{'a' * 64}")
    manifest = tmp_path / "ollama/manifests/registry.ollama.ai/library/smollm2/135m"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{'a' * 64}", "size": 1}
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))
    (tmp_path / "drive").mkdir()
    assert run(["push", "ollama:smollm2:135m", str(tmp_path / "drive")]) == 0
    assert [file.name for file in (tmp_path / "drive").iterdir()] == ["smollm2-135m.gguf"]
    assert (tmp_path / "drive/smollm2-135m.gguf").read_bytes() == blob.read_bytes()


def test_what_is_waited_for_is_said_where_nobody_sees_a_line_grow(
    hub: RangeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    model(hub.folder / "one.gguf")
    assert run(["pull", f"{hub.url}/one.gguf", "--to", "x"]) == 0
    assert f"asking {hub.url.removeprefix('http://')} for one.gguf" in capsys.readouterr().err


def test_what_is_no_model_is_not_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.gguf").write_text("<html>")
    assert run(["push", str(tmp_path / "one.gguf"), str(tmp_path)]) == 4
    assert run(["push", "hf://org/repo/one.gguf", str(tmp_path)]) == 2
    assert "memfit pull" in capsys.readouterr().err
    assert run(["push", str(model(tmp_path / "two.gguf")), str(tmp_path), "--ollama", "x"]) == 2


def test_a_checkpoint_is_sent_whole_into_a_folder_of_its_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "small-llama", LLAMA, llama_tensors())
    (folder / "pytorch_model.bin").write_bytes(b"the same again")
    drive = tmp_path / "drive"
    drive.mkdir()
    assert run(["push", str(folder), str(drive), "--dry-run"]) == 0
    assert not list(drive.iterdir())
    assert run(["push", str(folder), str(drive)]) == 0
    sent = {file.name: file.read_bytes() for file in (drive / "small-llama").iterdir()}
    assert sent == {one.name: one.read_bytes() for one in folder.iterdir() if one.suffix in (".json", ".safetensors")}
    assert run(["push", str(folder), str(tmp_path / "not there")]) != 0
    assert run(["push", str(folder), "ssh://board/models", "--ollama", "x"]) == 2


def test_a_checkpoint_without_weights_is_not_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["push", str(write_folder(tmp_path / "small-llama", LLAMA)), str(tmp_path)]) == 4
    assert "holds a config and no weights" in capsys.readouterr().err
