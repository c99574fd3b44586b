"""Whole files: read back as the model they stand for, and run."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fabricated_run import run

from memfit.cli._group import run as command
from memfit.device.records import Device
from memfit.engine.records import Deployment, Options
from memfit.errors import ModelError, UnknownName, UsageError
from memfit.footprint.estimate import estimate_deployment
from memfit.model import find_model, in_preset, read_shape
from memfit.model._build import card_tensors
from memfit.model._fabricate.blueprint import draw
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS, Card
from memfit.model.fabricate import Fabrication, fabricate
from memfit.model.gguf.reader import read_header
from memfit.model.gguf.writer import write_model
from memfit.units import GIB, MIB

TINY = Path(__file__).parents[3] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
MACHINE = Device(name="a machine", unified=True, capacity_bytes=64 * GIB, grade="stated", source="a test")
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)

# so many layers that every kind of layer is among them; 2 for the others
LAYERS = {
    "cohere2": 4,
    "deepseek2": 27,
    "gemma3": 6,
    "gemma3n": 10,
    "gemma4": 10,
    "granitehybrid": 8,
    "jamba": 5,
    "lfm2": 4,
    "lfm2moe": 4,
    "llama4": 4,
    "nemotron_h": 13,
    "nemotron_h_moe": 8,
    "qwen35": 4,
    "qwen35moe": 4,
    "qwen3next": 4,
    "qwen3vl": 4,
    "qwen3vlmoe": 4,
    "smollm3": 4,
}


def smallest_cards() -> dict[str, Card]:
    """Of each architecture the smallest model."""
    found: dict[str, Card] = {}
    for card in sorted(CARDS, key=lambda card: sum(tensor.bytes for tensor in card_tensors(card))):
        found.setdefault(ARCHITECTURES.get(card.architecture).name, card)
    return found


SMALLEST = smallest_cards()


def write_narrow(card: Card, path: Path) -> None:
    """A card's model in a file with a hole for its weights, with small feed-forwards and few experts and tokens."""
    metadata: dict[str, Any] = dict(card.metadata)
    metadata["vocab_size"] = 1024
    for key in ("feed_forward_length", "expert_feed_forward_length", "expert_shared_feed_forward_length"):
        value = metadata.get(key)
        if isinstance(value, int):
            metadata[key] = min(value, 512)
        elif value is not None:
            metadata[key] = [min(each, 512) for each in value]
    if metadata.get("expert_count", 0) > 8:
        metadata |= {"expert_count": 8, "expert_used_count": 2}
    card = dataclasses.replace(card, metadata=metadata)
    tensors = [(tensor.name, tensor.dims, tensor.format) for tensor in card_tensors(card)]
    write_model(path, {**card.header(), "tokenizer.ggml.model": "no_vocab"}, tensors)


@pytest.mark.engine
@needs_engine
@pytest.mark.parametrize("architecture", SMALLEST)
def test_every_architecture_runs_with_finite_logits(tmp_path: Path, architecture: str) -> None:
    card = SMALLEST[architecture]
    hollow, path = tmp_path / "hollow.gguf", tmp_path / "model.gguf"
    write_narrow(card, hollow)
    made = fabricate(str(hollow), path, format="Q4_K_M", layers=LAYERS.get(architecture, 2))
    encoder = card.tokenizer == "bert"
    (answer,) = run([{"path": str(path), "tokens": [5, 700, 9, 1023, 6], "count": 3, "embeddings": encoder}])
    assert answer["loaded"], answer["log"]
    assert answer["model_bytes"] == made.weights_bytes
    if encoder:
        assert answer["embedding"] == {"width": card.metadata["embedding_length"], "finite": True, "zero": False}
    else:
        assert answer["finite"]
        assert 1 < answer["widest"] < 1000  # it is not stuck at zero


@pytest.mark.engine
@needs_engine
@pytest.mark.parametrize(
    "preset", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1", "Q2_K", "Q3_K_M", "Q5_K_M", "IQ1_S", "IQ2_XXS", "IQ3_S",
               "IQ4_XS", "IQ4_NL", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0", "MXFP4_MOE"],
)  # fmt: skip
def test_every_kind_of_preset_runs(tmp_path: Path, preset: str) -> None:
    path = tmp_path / "model.gguf"
    made = fabricate("TinyLlama-1.1B", path, format=preset, layers=1, vocabulary="none")
    assert made.weights_bytes == read_shape(path).weights_bytes
    (answer,) = run([{"path": str(path), "tokens": [5, 700, 9], "count": 2}])
    assert answer["loaded"], answer["log"]
    assert answer["finite"]
    assert answer["model_bytes"] == made.weights_bytes


@pytest.mark.parametrize(("card", "preset"), [("SmolLM2-135M", "Q4_K_M"), ("Falcon-H1-0.5B", "Q8_0")])
def test_the_footprint_of_the_file_is_that_of_the_card(tmp_path: Path, card: str, preset: str) -> None:
    path = tmp_path / "model.gguf"
    fabricate(card, path, format=preset)
    options = Options(context_tokens=2048, slots=2)
    of_file, of_card = (
        estimate_deployment(
            Deployment(model=model, format=form, options=options, engine="llama_cpp"), device=MACHINE, source="formula"
        )
        for model, form in ((str(path), None), (card, preset))
    )
    alike = [term for term in of_card.terms if term.name not in ("tokenizer", "peak_headroom")]
    assert len(alike) > 3
    by_name = {term.name: term for term in of_file.terms}
    for term in alike:
        assert by_name[term.name].high_bytes == term.high_bytes, term.name
        assert by_name[term.name].likely_bytes == term.likely_bytes, term.name
    shape, wanted = read_shape(path), find_model(card, format=preset)
    assert [tensor[:4] for tensor in map(_plain, shape.tensors)] == [
        tensor[:4] for tensor in map(_plain, wanted.tensors)
    ]
    assert (shape.layers, shape.memory, shape.dimensions["block_count"]) == (
        wanted.layers,
        wanted.memory,
        len(wanted.layers),
    )


@pytest.mark.parametrize("key", CARDS.keys())
def test_every_card_comes_back_from_its_file(tmp_path: Path, key: str) -> None:
    card = CARDS.get(key)
    plan = draw(card.name, format="Q4_K_M", vocabulary="none", layers=None, seed=0)
    path = tmp_path / "model.gguf"  # the header alone, as fabricate writes it
    write_model(path, plan.metadata, [(tensor.name, tensor.dims, tensor.format) for tensor in plan.tensors])
    shape, wanted = read_shape(path), find_model(card.name)
    assert [_plain(tensor) for tensor in shape.tensors] == [_plain(tensor) for tensor in wanted.tensors]
    for field in ("name", "kind", "layers", "memory", "window_tokens", "causal", "tied_embeddings", "file_type"):
        assert getattr(shape, field) == getattr(wanted, field), field
    for field in ("parameters", "parameters_active", "vocabulary_tokens", "context_trained_tokens"):
        assert getattr(shape, field) == getattr(wanted, field), field
    assert wanted.dimensions.items() <= shape.dimensions.items()


def _plain(tensor: Any) -> tuple[Any, ...]:
    return (tensor.name, tensor.dims, tensor.format, tensor.bytes)


def test_the_file_is_what_the_record_says(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    made = fabricate("SmolLM2-135M", path, format="Q4_K_M", layers=3, seed=11)
    data = path.read_bytes()
    assert made.bytes == len(data)
    assert made.sha256 == hashlib.sha256(data).hexdigest()
    assert path.stat().st_blocks * 512 >= made.bytes  # no holes
    header = read_header(path)
    pages = [data[at : at + 4096] for at in range(header.data_offset, len(data), 4096)]
    assert len(set(pages)) == len(pages) > 5000  # none is empty, and none is there twice
    assert sum(tensor.bytes for tensor in header.tensors) == made.weights_bytes
    assert sum(share.bytes for share in made.formats) == made.weights_bytes
    assert sum(share.tensors for share in made.formats) == len(header.tensors)
    assert (made.layers, made.layers_whole) == (3, 30)
    assert header.metadata["general.name"] == made.model == "SmolLM2-135M, 3 of 30 layers"
    assert "random weights" in str(header.metadata["general.description"])
    # rows of 576 are no whole number of blocks of 256
    assert {fallback.wanted for fallback in made.fallbacks} == {"Q4_K", "Q6_K"}


def test_the_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    digests = [
        fabricate("SmolLM2-135M", tmp_path / f"{index}.gguf", layers=1, seed=seed).sha256
        for index, seed in enumerate((4, 4, 5))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_seed_means_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    made = fabricate("SmolLM2-135M", tmp_path / "model.gguf", format="Q8_0", layers=1)
    assert made.sha256 == "1525f338bc96d94449e8f355470dccc0a4f49c510e210877399f3cb29f0c90a3"


def test_from_the_header_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    made = fabricate(str(TINY), path)
    real, header = read_header(TINY), read_header(path)
    assert [_plain(tensor) for tensor in header.tensors] == [_plain(tensor) for tensor in real.tensors]
    assert made.format is None
    told = {"general.description"}  # that its weights are random
    assert {key: value for key, value in header.metadata.items() if key not in told} == {
        key: value for key, value in real.metadata.items() if key not in told
    }
    assert {key: (info.count, info.payload_bytes) for key, info in header.arrays.items()} == {
        key: (info.count, info.payload_bytes) for key, info in real.arrays.items()
    }
    assert path.read_bytes()[-4096:] != TINY.read_bytes()[-4096:]


def test_a_file_in_another_format_with_fewer_layers(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    made = fabricate(str(TINY), path, format="Q8_0", layers=2, vocabulary="none")
    shape, real = read_shape(path), read_shape(TINY)
    assert len(shape.layers) == made.layers == 2
    assert made.layers_whole == len(real.layers)
    assert shape.file_type == 7
    kept = [t for t in in_preset(real, "Q8_0").tensors if not re.match(r"blk\.(?![01]\.)", t.name)]
    assert [_plain(tensor) for tensor in shape.tensors] == [_plain(tensor) for tensor in kept]
    assert shape.tokenizer is None
    assert made.vocabulary is None


@pytest.mark.engine
@needs_engine
def test_a_file_keeps_its_vocabulary_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    fabricate(str(TINY), path, format="Q4_0")
    (answer,) = run([{"path": str(path), "text": "def main():\n", "count": 3}])
    assert answer["loaded"], answer["log"]
    assert answer["finite"]
    assert answer["back"] == "def main():\n"


def test_a_model_is_never_replaced_by_its_own_weights_made_up(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(TINY.read_bytes())
    with pytest.raises(UsageError, match="is the model itself"):
        fabricate(str(path), path, overwrite=True)
    other_name = tmp_path / "link.gguf"
    other_name.hardlink_to(path)
    with pytest.raises(UsageError, match="is the model itself"):
        fabricate(str(path), other_name, overwrite=True)
    assert path.read_bytes() == TINY.read_bytes()


def test_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with pytest.raises(UnknownName) as unknown:
        fabricate("Llama-3.2-1C", path)
    assert "Llama-3.2-1B" in (unknown.value.hint or "")
    with pytest.raises(UnknownName, match="Q4_K_X"):
        fabricate("Llama-3.2-1B", path, format="Q4_K_X")
    with pytest.raises(UsageError, match="a seed of -1"):
        fabricate("Llama-3.2-1B", path, seed=-1)
    with pytest.raises(ModelError):
        fabricate(str(tmp_path / "none.gguf"), path)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\3\0\0\0")
    with pytest.raises(ModelError):
        fabricate(str(broken), path)
    assert not path.exists()


@pytest.mark.parametrize("card", ["Gemma-3-1B", "Llama-3.2-1B"])
def test_memory_stays_small_whatever_the_vocabulary(tmp_path: Path, card: str) -> None:
    program = (
        "import sys; from pathlib import Path; from memfit.model.fabricate import fabricate\n"
        "fabricate(sys.argv[1], sys.argv[2], layers=6)\n"
        "print(next(line for line in Path('/proc/self/status').open() if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, card, str(tmp_path / "model.gguf")], capture_output=True, text=True, check=True
    )
    assert (tmp_path / "model.gguf").stat().st_size > 300 * MIB
    assert int(done.stdout.split()[1]) * 1024 <= 64 * MIB


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.gguf"
    words = ["fabricate", "smollm2-135m", "--layers", "2", "--vocabulary", "none", "--out", str(path)]
    assert command([*words, "--json"]) == 0
    printed = capsys.readouterr()
    made = json.loads(printed.out)
    assert made["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert printed.err == ""
    assert made.keys() == set(Fabrication.__struct_fields__)
    assert command(words) == 2
    assert "exists" in capsys.readouterr().err
    assert command([*words, "--overwrite"]) == 0
    shown = capsys.readouterr().out
    assert "SmolLM2-135M, 2 of 30 layers" in shown
    assert f"memfit verify {path}" in shown


def test_progress_is_one_line_that_goes_away() -> None:
    from memfit.cli._progress import Progress

    said: list[str] = []
    progress = Progress(say=lambda text, **_: said.append(text))
    progress(10, 100)
    assert said == []  # not in the first second
    progress._began -= 10
    progress._said -= 10
    progress(50, 100)
    progress(51, 100)  # and not for every piece
    progress.end()
    assert len(said) == 2
    assert said[0].startswith("\r 50% of ")
    assert said[1].strip() == ""
