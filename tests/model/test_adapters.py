"""LoRA adapters: pairs and their bytes, against the engine's own buffers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine_child import HAS_ENGINE, ask
from memfit.errors import Malformed
from memfit.model.adapters import adapter_bytes, pairs
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS
from memfit.model.shape import Tensor
from stub_file import TYPE_BYTES, StubTensor, write_stub

BASE = "qwen3_5_0_8b"
RANK = 16


def base_tensors() -> dict[str, tuple[int, ...]]:
    card = CARDS.get(BASE)
    return dict(ARCHITECTURES.get(card.architecture).tensors(card.hyperparameters()))


def pair(target: str, rank: int, kind: str) -> list[StubTensor]:
    inputs, outputs = base_tensors()[target][:2]
    if target == "token_embd.weight":
        return [(f"{target}.lora_a", (rank, outputs), kind), (f"{target}.lora_b", (rank, inputs), kind)]
    return [(f"{target}.lora_a", (inputs, rank), kind), (f"{target}.lora_b", (rank, outputs), kind)]


def attention(rank: int, kind: str) -> list[StubTensor]:
    return [
        entry
        for layer in range(3, 24, 4)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
        for entry in pair(f"blk.{layer}.{name}.weight", rank, kind)
    ]


ADAPTERS: dict[str, list[StubTensor]] = {
    "attention in F16": attention(RANK, "F16"),
    "attention in F32": attention(64, "F32"),
    "odd rank, padded": attention(5, "F16"),
    "with a norm, passed over": [*attention(8, "F16"), ("blk.3.attn_norm.weight", (1024,), "F32")],
    "embedding": [*attention(8, "F32"), *pair("token_embd.weight", 7, "F16")],
}


def as_tensors(entries: list[StubTensor]) -> tuple[Tensor, ...]:
    found = []
    for name, dims, kind in entries:
        size = TYPE_BYTES[kind][1]
        for dim in dims:
            size *= dim
        found.append(Tensor(name=name, dims=tuple(dims), format=kind, bytes=size))
    return tuple(found)


def test_a_pair_has_the_rank_between_its_halves() -> None:
    found = {entry.target: entry.rank for entry in pairs(as_tensors(ADAPTERS["embedding"]))}
    assert found["blk.3.attn_q.weight"] == 8
    assert found["token_embd.weight"] == 7
    assert len(found) == 6 * 7 + 1


def test_bytes_are_those_of_the_pairs_without_norms() -> None:
    with_norm = adapter_bytes(as_tensors(ADAPTERS["with a norm, passed over"]))
    assert with_norm == adapter_bytes(as_tensors(attention(8, "F16")))


BAD = {
    "half a pair": ([("blk.0.ffn_up.weight.lora_a", (64, 4), "F32")], "only lora_a"),
    "no pair": ([("blk.0.attn_norm.weight", (64,), "F32")], "no LoRA pair"),
    "nothing": ([], "no LoRA pair"),
    "a whole matrix": ([("blk.0.ffn_up.weight", (64, 4), "F32")], "is no part of a LoRA adapter"),
    "ranks that differ": (
        [("blk.0.ffn_up.weight.lora_a", (64, 4), "F32"), ("blk.0.ffn_up.weight.lora_b", (8, 64), "F32")],
        "ranks 4 and 8",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_adapter_is_refused(case: str) -> None:
    entries, message = BAD[case]
    with pytest.raises(Malformed, match=r"lora\.gguf") as raised:
        adapter_bytes(as_tensors(entries), file="lora.gguf")  # type: ignore[arg-type]
    assert message in raised.value.message


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The engine's own buffers for each adapter, from one child."""
    folder: Path = tmp_path_factory.mktemp("adapters")
    card = CARDS.get(BASE)
    model = folder / "model.gguf"
    tensors = [
        (name, dims, "F16" if len(dims) > 1 and "ssm_" not in name else "F32")
        for name, dims in base_tensors().items()
        if name != "output.weight"
    ]
    write_stub(model, {**card.header(), "tokenizer.ggml.model": "no_vocab"}, tensors)
    paths = []
    for index, entries in enumerate(ADAPTERS.values()):
        path = folder / f"{index}.gguf"
        values = {
            "general.architecture": card.architecture,
            "general.type": "adapter",
            "adapter.type": "lora",
            "adapter.lora.alpha": 32.0,
        }
        write_stub(path, values, entries)
        paths.append(str(path))
    (answer,) = ask([{"path": str(model), "contexts": [], "adapters": paths}])
    assert answer["loaded"], answer["log"]
    return dict(zip(ADAPTERS, answer["adapters"], strict=True))


@pytest.mark.engine
@pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed")
@pytest.mark.parametrize("name", ADAPTERS)
def test_bytes_equal_the_engines_buffers(name: str, answers: dict[str, Any]) -> None:
    answer = answers[name]
    assert answer["loaded"], answer["log"]
    assert abs(answer["bytes"] / 2**20 - answer["mib"]) < 0.02  # what was read from memory is what the log says
    assert adapter_bytes(as_tensors(ADAPTERS[name])) == answer["bytes"]
