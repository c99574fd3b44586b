"""Models named by where they are: Ollama's store, Hugging Face's hub and its cache, other servers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from folders import LLAMA, llama_tensors, write_folder
from memfit.errors import ModelError, Unreachable, UsageError
from memfit.model import find_model, read_shape
from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.gguf.writer import write_model
from memfit.model.places import PLACES, locate
from memfit.model.places.ollama import stored, stored_models
from range_server import RangeServer, serving

GGUF = "application/vnd.ollama.image.model"
TENSOR = "application/vnd.ollama.image.tensor"
LIST = "application/vnd.ollama.manifest.list.v2+json"


def model(path: Path, preset: str = "Q4_K_M", card: str = "smollm2_135m") -> Path:
    shape = card_shape(CARDS.get(card), preset)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, CARDS.get(card).header(), [(one.name, one.dims, one.format) for one in shape.tensors])
    return path


class Store:
    """An Ollama store, written as Ollama writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs").mkdir(parents=True)

    def blob(self, data: bytes | None = None) -> str:
        name = hashlib.sha256(data or b"a model").hexdigest()
        path = self.folder / "blobs" / f"sha256-{name}"
        if data is not None:
            path.write_bytes(data)
        elif not path.exists():
            model(path)
        return f"sha256:{name}"

    def layers(self, *more: tuple[str, bytes]) -> list[dict[str, Any]]:
        kinds = [
            (GGUF, self.blob()),
            *((f"application/vnd.ollama.image.{kind}", self.blob(data)) for kind, data in more),
        ]
        return [{"mediaType": kind, "digest": digest, "size": 100} for kind, digest in kinds]

    def manifest(self, where: str, content: dict[str, Any] | bytes) -> Path:
        path = self.folder / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path


OLD = "manifests/registry.ollama.ai/library/llama3.2"
NEW = "manifests-v2/registry.ollama.ai/library/llama3.2"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    return Store(tmp_path / "ollama")


@pytest.mark.parametrize("root", [OLD, NEW])
def test_a_model_of_the_store_is_read_like_its_file(store: Store, root: str) -> None:
    params = json.dumps({"num_ctx": 8192}).encode()
    store.manifest(f"{root}/3b", {"schemaVersion": 2, "layers": store.layers(("params", params), ("projector", b"p"))})
    found = stored("ollama:llama3.2:3b")
    assert found.parameters == {"num_ctx": 8192}
    assert found.projector is not None
    assert found.bytes == 300
    assert find_model("ollama:llama3.2:3b") == read_shape(found.model)
    assert [one.name for one in stored_models()] == ["llama3.2:3b"]


def test_a_name_without_a_tag_is_the_latest_and_others_have_a_namespace(store: Store) -> None:
    store.manifest(f"{OLD}/latest", {"schemaVersion": 2, "layers": store.layers()})
    store.manifest("manifests/hf.co/org/repo-GGUF/Q4_K_M", {"schemaVersion": 2, "layers": store.layers()})
    assert stored("llama3.2").name == "llama3.2:latest"
    assert stored("ollama:hf.co/org/repo-GGUF:Q4_K_M").name == "hf.co/org/repo-GGUF:Q4_K_M"


def test_of_several_runners_the_one_for_gguf_files_is_taken(store: Store) -> None:
    child = {"schemaVersion": 2, "layers": store.layers()}
    digest = store.blob(json.dumps(child).encode())
    children = [{"runner": "mlx", "layers": [{"mediaType": "x"}]}, {"runner": "llamacpp", "digest": digest}]
    store.manifest(f"{NEW}/3b", {"schemaVersion": 2, "mediaType": LIST, "manifests": children})
    assert stored("llama3.2:3b").model.is_file()
    store.manifest(f"{NEW}/mlx", {"schemaVersion": 2, "mediaType": LIST, "manifests": children[:1]})
    with pytest.raises(ModelError, match=r"other runners than llama.cpp \(mlx\)"):
        stored("llama3.2:mlx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"schemaVersion": 3, "layers": []}, "schemaVersion is 3, and memfit knows 2"),
        ({"schemaVersion": 2, "layers": []}, "no GGUF file"),
        ({"schemaVersion": 2, "layers": [{"mediaType": TENSOR, "digest": f"sha256:{0:064}"}]}, "of many tensors"),
        ({"schemaVersion": 2, "layers": [{"mediaType": GGUF, "digest": "sha256:../../etc/passwd"}]}, "no digest"),
        (b"{", "no manifest"),
        (b"[]", "no manifest"),
        (b"", "no manifest"),
    ],
)  # fmt: skip
def test_a_store_of_another_kind_is_named(store: Store, content: dict[str, Any] | bytes, message: str) -> None:
    path = store.manifest(f"{OLD}/3b", content)
    with pytest.raises(ModelError, match=message) as told:
        locate("ollama:llama3.2:3b")
    assert str(path) in told.value.message
    assert list(stored_models()) == []


def test_a_model_that_is_not_in_the_store_is_named_with_those_that_are(store: Store) -> None:
    store.manifest(f"{OLD}/3b", {"schemaVersion": 2, "layers": store.layers()})
    with pytest.raises(ModelError, match="no model 'qwen3:4b'") as told:
        locate("ollama:qwen3:4b")
    assert told.value.hint == "it has llama3.2:3b"


def test_a_layer_that_is_missing_is_a_missing_file(store: Store) -> None:
    layers = store.layers()
    (store.folder / "blobs" / layers[0]["digest"].replace(":", "-")).unlink()
    store.manifest(f"{OLD}/3b", {"schemaVersion": 2, "layers": layers})
    with pytest.raises(ModelError, match="no such file"):
        find_model("ollama:llama3.2:3b")


@pytest.mark.parametrize(
    "name", ["ollama:", "ollama:a b", "ollama:../x", "ollama:x:../../y", "ollama:a/b/c/d:e", "ollama:/x"]
)
def test_what_ollama_never_writes_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError, match="not a model of Ollama's"):
        locate(name)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(tmp_path / "served") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def published(server: RangeServer, repository: str, *names: str) -> None:
    """A repository of the hub with these files, GGUF models among them."""
    entries = []
    for name in names:
        path = server.folder / repository / "resolve" / "main" / name
        if not path.exists():
            model(path)
        entries.append({"type": "file", "path": name, "size": path.stat().st_size, "oid": "0"})
    entries.append({"type": "directory", "path": "folder", "size": 0})
    server.pages[f"/api/models/{repository}/tree/main"] = json.dumps(entries).encode()


def test_a_file_on_the_hub_is_read_by_its_header(hub: RangeServer) -> None:
    published(hub, "org/repo", "model-Q4_K_M.gguf")
    shape = find_model("hf://org/repo/model-Q4_K_M.gguf")
    assert shape.parameters == card_shape(CARDS.get("smollm2_135m")).parameters
    assert hub.requests == ["/org/repo/resolve/main/model-Q4_K_M.gguf bytes=0-262143"]


def test_a_repository_of_one_model_needs_no_file_name(hub: RangeServer) -> None:
    published(hub, "org/repo", "model.gguf", "mmproj-model-F16.gguf", "README.md")
    assert find_model("hf://org/repo").name == "SmolLM2-135M"


def test_a_repository_of_several_names_them(hub: RangeServer) -> None:
    published(hub, "org/repo", "a-Q4_K_M.gguf", "a-Q8_0.gguf")
    with pytest.raises(ModelError, match=r"holds 2 models: a-Q4_K_M.gguf, a-Q8_0.gguf") as told:
        find_model("hf://org/repo")
    assert "hf://org/repo/a-Q4_K_M.gguf" in (told.value.hint or "")


def test_all_shards_of_a_model_are_asked(hub: RangeServer) -> None:
    names = [f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    shape = card_shape(CARDS.get("smollm2_135m"), "Q4_K_M")
    specs = [(one.name, one.dims, one.format) for one in shape.tensors]
    for number, name in enumerate(names):
        path = hub.folder / "org/repo/resolve/main" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = CARDS.get("smollm2_135m").header() if number == 0 else {}
        split = {"split.no": number, "split.count": 2, "split.tensors.count": len(specs)}
        write_model(path, {**head, **split}, specs[:100] if number == 0 else specs[100:])
    published(hub, "org/repo", *names)
    assert find_model(f"hf://org/repo/{names[0]}").parameters == shape.parameters
    assert find_model("hf://org/repo").parameters == shape.parameters


@pytest.mark.parametrize("page", ["blob", "resolve"])
def test_a_page_of_the_hub_is_the_file_it_shows(hub: RangeServer, page: str) -> None:
    published(hub, "org/repo", "model.gguf")
    assert locate(f"https://huggingface.co/org/repo/{page}/main/model.gguf") == locate("hf://org/repo/model.gguf")


def test_a_file_on_any_server(hub: RangeServer) -> None:
    model(hub.folder / "models" / "one.gguf")
    assert find_model(f"{hub.url}/models/one.gguf").layers
    with pytest.raises(ModelError, match="address of no GGUF file"):
        find_model(f"{hub.url}/models/one.zip")


def test_what_hf_downloaded_is_not_asked_for(hub: RangeServer, tmp_path: Path) -> None:
    kept = tmp_path / "cache/huggingface/hub/models--org--repo"
    model(kept / "snapshots" / "abc" / "model.gguf")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    assert find_model("hf://org/repo").shards[0].path == str(kept / "snapshots/abc/model.gguf")
    assert find_model("hf://org/repo/model.gguf").layers
    assert hub.requests == []


def test_a_gated_repository_asks_for_a_token(hub: RangeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    published(hub, "org/repo", "model.gguf")
    hub.misbehave = "locked"
    with pytest.raises(ModelError, match="asks for a token") as told:
        find_model("hf://org/repo/model.gguf")
    assert "HF_TOKEN" in (told.value.hint or "")
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    assert find_model("hf://org/repo/model.gguf").layers
    assert hub.tokens[-1] == "Bearer hf_made_up"


def test_without_a_network_the_hub_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Unreachable, match="cannot be reached"):
        find_model("hf://org/repo")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'[{"type": 1}]'])
def test_an_answer_that_is_no_list_is_told_of(hub: RangeServer, body: bytes) -> None:
    hub.pages["/api/models/org/repo/tree/main"] = body
    with pytest.raises(ModelError, match="no list of files"):
        find_model("hf://org/repo")


def test_names_that_lead_out_of_their_folder_are_passed_over(hub: RangeServer) -> None:
    entries = [{"type": "file", "path": path, "size": 1} for path in ("../x.gguf", "/etc/x.gguf", "a//b.gguf")]
    hub.pages["/api/models/org/repo/tree/main"] = json.dumps(entries).encode()
    with pytest.raises(ModelError, match=r"no config\.json and no GGUF file"):
        find_model("hf://org/repo")


@pytest.mark.parametrize("name", ["hf://", "hf://org", "hf://org/repo/../x.gguf", "hf://org/repo with space"])
def test_what_is_no_name_on_the_hub_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not a name on Hugging Face's hub"):
        find_model(name)


def test_every_place_says_how_it_is_written() -> None:
    assert set(PLACES.keys()) == {"hub", "ollama", "web"}
    assert all(":" in place.summary for place in PLACES)


def checkpoint(server: RangeServer, repository: str, *, shards: int = 1) -> Path:
    """A checkpoint on the hub, its weights in one file or two with an index."""
    folder = server.folder / repository / "resolve" / "main"
    write_folder(folder, LLAMA, llama_tensors(), shards=shards)
    published(server, repository, *(one.name for one in folder.iterdir()))
    return folder


@pytest.mark.parametrize("shards", [1, 2])
def test_of_a_checkpoint_on_the_hub_headers_alone_are_fetched(hub: RangeServer, shards: int) -> None:
    folder = checkpoint(hub, "org/repo", shards=shards)
    found = find_model("hf://org/repo")
    assert found == msgspec.structs.replace(find_model(str(folder)), name=found.name, shards=found.shards)
    assert len(found.shards) == shards
    asked = [request for request in hub.requests if "safetensors " in request]
    assert len(asked) == shards  # one range each
    before = len(hub.requests)
    assert find_model("hf://org/repo") == found
    again = [request for request in hub.requests[before:] if "safetensors " in request]
    assert all(request.endswith("bytes=0-0") for request in again)  # whether it is still the same


def test_an_index_that_names_what_the_repository_lacks_is_told_of(hub: RangeServer) -> None:
    folder = checkpoint(hub, "org/repo", shards=2)
    published(hub, "org/repo", *(one.name for one in folder.iterdir() if "00002" not in one.name))
    with pytest.raises(ModelError, match=r"names \S*00002\S*\.safetensors, which the repository does not hold"):
        find_model("hf://org/repo")


def test_a_repository_by_its_id_is_what_hf_downloaded(hub: RangeServer, tmp_path: Path) -> None:
    kept = tmp_path / "cache/huggingface/hub/models--org--repo"
    write_folder(kept / "snapshots" / "abc", LLAMA)  # a config alone
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    assert find_model("org/repo").layers
    assert hub.requests == []
    hub.misbehave = "broken"
    assert find_model("hf://org/repo").layers  # the hub is asked first, and is not there
    with pytest.raises(ModelError, match="no such file or folder") as told:
        find_model("org/another")
    assert "hf://org/another" in str(told.value.hint)
