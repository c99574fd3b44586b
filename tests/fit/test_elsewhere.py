"""Models that are not of the catalog: of Ollama's store, of the hub's cache, and the files of a repository."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from memfit.device import Device, find_device
from memfit.errors import Unreachable
from memfit.fit import Wish, fit
from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.gguf.writer import write_model
from memfit.precision.presets import PRESETS
from memfit.units import GIB
from range_server import RangeServer, serving

NANO = find_device("orin-nano-8gb")
HERE = Device(
    name="this machine",
    unified=False,
    capacity_bytes=4 * GIB,
    instructions=("avx2",),
    threads=2,
    grade="measured",
    source="made up",
)


def model(path: Path, preset: str) -> Path:
    shape = card_shape(CARDS.get("smollm2_135m"), preset)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {**CARDS.get("smollm2_135m").header(), "general.file_type": PRESETS.get(preset).file_type}
    write_model(path, header, [(one.name, one.dims, one.format) for one in shape.tensors])
    return path


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    for name in ("HF_HUB_CACHE", "HF_HOME", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path / "served") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def published(server: RangeServer, *presets: str) -> None:
    folder = server.folder / "org/repo/resolve/main"
    files = [model(folder / f"SmolLM2-135M-{preset}.gguf", preset) for preset in presets]
    entries = [{"type": "file", "path": file.name, "size": file.stat().st_size} for file in files]
    server.pages["/api/models/org/repo/tree/main"] = json.dumps(entries).encode()


def test_of_a_repository_every_file_is_a_row_and_one_header_is_fetched(hub: RangeServer) -> None:
    published(hub, "Q8_0", "Q4_K_M", "Q2_K")
    found = fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo",))
    assert {(row.model.rpartition("/")[2], row.format) for row in found.rows} == {
        ("SmolLM2-135M-Q8_0.gguf", "Q8_0"),
        ("SmolLM2-135M-Q4_K_M.gguf", "Q4_K_M"),
        ("SmolLM2-135M-Q2_K.gguf", "Q2_K"),
    }
    assert {row.where for row in found.rows} == {"hub"}
    asked = {request.split()[0] for request in hub.requests if "resolve" in request}
    assert asked == {"/org/repo/resolve/main/SmolLM2-135M-Q2_K.gguf"}


def test_a_row_is_that_of_the_file_itself(hub: RangeServer) -> None:
    published(hub, "Q8_0", "Q2_K")
    of_repository = fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo",))
    of_file = fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo/SmolLM2-135M-Q8_0.gguf",)).rows[0]
    row = next(row for row in of_repository.rows if row.model == of_file.model)
    assert row.weights_bytes == of_file.weights_bytes
    assert abs(row.high_bytes - of_file.high_bytes) < 1 << 20  # the file's vocabulary is read, or counted


def test_a_file_that_is_not_what_its_name_says_is_asked(hub: RangeServer) -> None:
    published(hub, "Q8_0", "Q2_K")
    folder = hub.folder / "org/repo/resolve/main"
    (folder / "SmolLM2-135M-Q8_0.gguf").unlink()
    model(folder / "other.gguf", "Q4_0").rename(folder / "SmolLM2-135M-Q8_0.gguf")
    entries = [{"type": "file", "path": file.name, "size": file.stat().st_size} for file in folder.glob("*.gguf")]
    hub.pages["/api/models/org/repo/tree/main"] = json.dumps(entries).encode()
    found = fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo",))
    row = next(row for row in found.rows if "Q8_0" in row.model)
    assert row.format == "Q4_0"


def test_what_ollama_and_hf_brought_here_takes_part(tmp_path: Path) -> None:
    blob = model(tmp_path / "ollama/blobs" / f"sha256-{'a' * 64}", "Q4_0")
    manifest = tmp_path / "ollama/manifests/registry.ollama.ai/library/smollm2/135m"
    manifest.parent.mkdir(parents=True)
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{'a' * 64}",
        "size": blob.stat().st_size,
    }
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))
    kept = tmp_path / "cache/huggingface/hub/models--org--mine"
    model(kept / "snapshots/abc/one.gguf", "Q8_0")
    (kept / "refs").mkdir()
    (kept / "refs/main").write_text("abc")
    found = fit(HERE, Wish(use="embedding", context_tokens=512))
    where = {row.model: row.where for row in found.rows if row.where != "catalog"}
    assert where == {"ollama:smollm2:135m": "ollama", "hf://org/mine": "hub"}
    board = fit(NANO, Wish(use="embedding", context_tokens=512))
    assert {row.where for row in board.rows} == {"catalog"}


def test_a_store_that_is_broken_is_no_error(tmp_path: Path) -> None:
    manifest = tmp_path / "ollama/manifests/registry.ollama.ai/library/broken/latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{")
    assert all(row.where == "catalog" for row in fit(HERE, Wish(use="embedding", context_tokens=512)).rows)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = str(model(tmp_path / "mine.gguf", "Q4_K_M"))
    row = fit(msgspec.structs.replace(NANO, capacity_bytes=GIB), models=(file,)).rows[0]
    assert (row.model, row.where, row.format) == (file, "file", "Q4_K_M")


def kept(tmp_path: Path, *presets: str) -> None:
    """What ``hf download`` leaves of a repository."""
    folder = tmp_path / "cache/huggingface/hub/models--org--repo"
    for preset in presets:
        model(folder / f"snapshots/abc/SmolLM2-135M-{preset}.gguf", preset)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("abc")


@pytest.mark.parametrize("presets", [("Q8_0",), ("Q8_0", "Q2_K")])
def test_without_the_hub_its_cache_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, presets: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    kept(tmp_path, *presets)
    found = fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo",))
    assert [row.format for row in found.rows] == list(presets)
    assert any("cannot be reached" in note for note in found.notes) == (len(presets) > 1)


def test_without_the_hub_and_a_cache_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        fit(NANO, Wish(context_tokens=2048), models=("hf://org/repo",))
