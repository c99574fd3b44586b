"""The shipped model is the one its card describes, and the engine takes it as such."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from memfit.model.gguf.reader import read_header
from memfit.model.gguf.writer import write_model

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
FOLDER = ROOT / "models" / "memfit-tiny"
MOST_BYTES = 12_000_000
SUPER_BLOCK = 256  # QK_K, ggml/src/ggml-common.h (0c1e57098)

sys.path.append(str(TOOLS))
from tiny import card, manifest  # noqa: E402
from tiny.byte_pair import END_OF_TEXT, Tokenizer  # noqa: E402

MODEL, IMPORTANCE = FOLDER / manifest.MODEL, FOLDER / manifest.IMPORTANCE
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python not installed"
)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return manifest.read(FOLDER)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """The tokenizer as the file stores it."""
    token_id = {spelling: token for token, spelling in enumerate(_strings("tokenizer.ggml.tokens"))}
    pairs = (line.split(" ") for line in _strings("tokenizer.ggml.merges"))
    return Tokenizer(tuple((token_id[left], token_id[right]) for left, right in pairs))


def _strings(key: str) -> list[str]:
    """A string array of the model's header, which the reader only walks."""
    header = read_header(MODEL)
    info, data, found = header.arrays[key], MODEL.read_bytes(), []
    at = info.offset
    for _ in range(info.count):
        length = int.from_bytes(data[at : at + 8], "little")
        found.append(data[at + 8 : at + 8 + length].decode())
        at += 8 + length
    assert at == info.offset + info.bytes
    return found


def _measured(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(TOOLS / "measure_tiny.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_files_are_those_of_the_manifest(content: dict[str, Any]) -> None:
    for name, file in content["files"].items():
        data = (FOLDER / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    assert {path.name for path in FOLDER.iterdir()} == {*content["files"], manifest.MANIFEST, manifest.CARD}


def test_card_is_written_from_the_manifest(content: dict[str, Any]) -> None:
    text = (FOLDER / manifest.CARD).read_text(encoding="utf-8")
    assert text == card.render(content)
    assert all(file["sha256"] in text for file in content["files"].values())


def test_stays_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


def test_every_row_fits_the_super_block(content: dict[str, Any]) -> None:
    tensors = read_header(MODEL).tensors
    assert [tensor.name for tensor in tensors if tensor.dims[0] % SUPER_BLOCK] == []
    assert sum(math.prod(tensor.dims) for tensor in tensors) == content["parameters"]


def test_importances_cover_every_matrix_but_the_looked_up_one() -> None:
    header = read_header(IMPORTANCE)
    row = {
        tensor.name.removesuffix(".in_sum2"): tensor.dims[0] for tensor in header.tensors if "in_sum2" in tensor.name
    }
    matrices = {tensor.name: tensor.dims[0] for tensor in read_header(MODEL).tensors if len(tensor.dims) == 2}
    assert row == {name: dims for name, dims in matrices.items() if name != "token_embd.weight"}


def test_stored_tokenizer_is_the_training_tokenizer(tokenizer: Tokenizer, content: dict[str, Any]) -> None:
    assert _strings("tokenizer.ggml.tokens") == tokenizer.spellings()
    assert read_header(MODEL).metadata["tokenizer.ggml.bos_token_id"] == tokenizer.end_of_text
    for sample in content["samples"]:
        assert tokenizer.encode(sample["text"]) == sample["ids"]


@pytest.mark.engine
@needs_engine
def test_engine_falls_back_nowhere() -> None:
    kept = [line for line in _measured("--fit") if not line.endswith(" fits")]
    assert kept == ["NVFP4 refused: llama_model_quantize: failed to quantize: invalid output file type 39"]


@pytest.mark.engine
@needs_engine
def test_the_fallback_check_sees_one(tmp_path: Path) -> None:
    metadata = dict(read_header(MODEL).metadata)
    metadata |= {"llama.embedding_length": 320, "llama.attention.head_count": 5, "llama.block_count": 1}
    write_model(tmp_path / manifest.MODEL, metadata, [("blk.0.attn_q.weight", (320, 320), "F16")])
    assert _measured("--fit", "--folder", str(tmp_path), "Q8_0", "Q4_K_M") == ["Q8_0 fits", "Q4_K_M falls back"]


@pytest.mark.engine
@needs_engine
def test_engine_tokenizes_as_the_training_did(tokenizer: Tokenizer, content: dict[str, Any]) -> None:
    texts = [sample["text"] for sample in content["samples"]]
    texts.append((Path(sysconfig.get_path("stdlib")) / "heapq.py").read_text(encoding="utf-8"))
    program = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from tiny import engine;"
        "print(json.dumps(engine.tokenize(Path(sys.argv[2]), json.load(sys.stdin))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(TOOLS), str(MODEL)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert json.loads(done.stdout) == [tokenizer.encode(text) for text in texts]
    assert END_OF_TEXT in texts[1]  # spelled out, not taken for the special token
    assert tokenizer.end_of_text not in tokenizer.encode(texts[1])


@pytest.mark.engine
@needs_engine
def test_quality_falls_with_precision() -> None:
    unseen = Path(sysconfig.get_path("stdlib")) / "heapq.py"
    lines = _measured("--text", str(unseen), "--stride", "2", "--no-importance", "F16", "Q8_0", "Q2_K")
    perplexity = {preset: float(value) for preset, _, value, *_ in map(str.split, lines)}
    assert perplexity["F16"] < 90  # a uniform guess has 3584
    assert perplexity["Q8_0"] == pytest.approx(perplexity["F16"], rel=0.01)
    assert perplexity["Q2_K"] > 1.02 * perplexity["F16"]
