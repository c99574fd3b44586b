"""Made-up vocabularies: of the right size and kind, and such that the engine splits and joins any text with them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from fabricated_run import run

from memfit.errors import UsageError
from memfit.model._fabricate.vocabulary import vocabulary
from memfit.model.fabricate import fabricate
from memfit.model.gguf.reader import read_header
from memfit.model.gguf.writer import write_model
from memfit.model.shape import Tokenizer

DATA = Path(__file__).parents[4] / "shared" / "data" / "models"
TEXT = "Hello there, wörld! 你好 🙂 x=42;\n\tend\n"
# one card of each kind of tokenizer; the third is Llama 3's, with more merges than tokens
KINDS = {"gpt2": "GPT-2", "llama": "TinyLlama-1.1B", "gemma4": "Gemma-4-E2B", "rwkv": "RWKV7-G1-0.4B"}
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


def strings(path: Path, key: str) -> list[bytes]:
    """A string array of a header, which the reader only walks."""
    info, data, found = read_header(path).arrays[key], path.read_bytes(), []
    at = info.offset
    for _ in range(info.count):
        length = int.from_bytes(data[at : at + 8], "little")
        found.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    assert at == info.offset + info.bytes
    return found


@pytest.mark.parametrize(
    ("kind", "tokens", "architecture", "merges"),
    [
        ("gpt2", 128256, "llama", 280_313),  # Llama 3 itself has 280,147
        ("gpt2", 151936, "qwen2", 151_677),  # Qwen2 has 151,387
        ("gpt2", 65024, "falcon", 64_765),  # Falcon has 64,784
        ("gpt2", 131072, "mistral3", 269_867),  # tekken has 269,443
        ("llama", 32064, "phi3", 0),
        ("gemma4", 262144, "gemma4", 515_071),  # Gemma 4 has 514,906
        ("bert", 30522, "bert", 0),
        ("rwkv", 65536, "rwkv7", 0),
    ],
)
def test_size_of_real_ones(tmp_path: Path, kind: str, tokens: int, architecture: str, merges: int) -> None:
    made = vocabulary(kind, tokens, architecture)
    path = tmp_path / "vocabulary.gguf"
    write_model(path, {"general.architecture": "llama", **made.metadata}, [])
    listed = strings(path, "tokenizer.ggml.tokens")
    assert len(listed) == len(set(listed)) == tokens
    pairs = strings(path, "tokenizer.ggml.merges") if merges else []
    assert len(pairs) == len(set(pairs)) == pytest.approx(merges, rel=0.002)
    assert made.tokenizer == Tokenizer(
        kind=kind,
        tokens=tokens,
        token_bytes=sum(map(len, listed)),
        merges=len(pairs),
        merge_bytes=sum(map(len, pairs)),
    )
    assert 5 < made.tokenizer.token_bytes / tokens < 9
    for text in listed:
        text.decode()  # the engine reads UTF-8


@pytest.mark.parametrize(
    ("file", "kind", "architecture"),
    [("ggml-vocab-phi-3.gguf", "llama", "phi3"), ("ggml-vocab-falcon.gguf", "gpt2", "falcon")],
)
def test_beside_a_real_vocabulary(file: str, kind: str, architecture: str) -> None:
    if not (DATA / file).exists():
        pytest.skip(f"{file} is not here")
    header = read_header(DATA / file)
    real = header.arrays["tokenizer.ggml.tokens"]
    made = vocabulary(kind, real.count, architecture).tokenizer
    assert made.token_bytes == pytest.approx(real.payload_bytes, rel=0.25)
    merges = header.arrays.get("tokenizer.ggml.merges")
    assert made.merges == pytest.approx(merges.count if merges else 0, rel=0.01)


def test_every_merge_joins_tokens_to_a_token(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.gguf"
    write_model(path, {"general.architecture": "qwen2", **vocabulary("gpt2", 20_000, "qwen2").metadata}, [])
    known = set(strings(path, "tokenizer.ggml.tokens"))
    for pair in strings(path, "tokenizer.ggml.merges"):
        left, _, right = pair.partition(b" ")
        assert {left, right, left + right} <= known


@pytest.mark.engine
@needs_engine
@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_splits_any_text_and_joins_it_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.gguf"
    made = fabricate(KINDS[kind], path, format="Q4_0", layers=10 if kind == "gemma4" else 1)
    (answer,) = run([{"path": str(path), "text": TEXT, "count": 1}])
    assert answer["loaded"], answer
    assert made.vocabulary is not None
    assert answer["vocabulary"] == made.vocabulary.tokens
    assert answer["warnings"] == []
    assert answer["back"].lstrip(" ") == TEXT
    # longer tokens are really used: a text of 40 characters takes fewer tokens than bytes
    assert len(answer["prompt"]) < len(TEXT.encode())


@pytest.mark.parametrize(("kind", "tokens"), [("t5", 32000), ("gpt2", 300)])
def test_what_cannot_be_made_up(kind: str, tokens: int) -> None:
    with pytest.raises(UsageError) as refusal:
        vocabulary(kind, tokens, "llama")
    assert refusal.value.hint == "--vocabulary none leaves it out"
