"""Attention models against the engine: every tensor it wants and no other, each layer's kind, every cached byte."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from attention_models import MODELS
from engine_child import HAS_ENGINE, ask
from memfit.engine._llama_cpp.cache import kv_bytes
from memfit.engine.records import Options
from memfit.model._build import card_tensors, shape_of
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape
from stub_file import StubTensor, write_stub

pytestmark = [pytest.mark.engine, pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed")]

KV_TYPES = {"F16": 1, "Q4_0": 2, "Q8_0": 8}
OPTIONS = (
    Options(context_tokens=4096, ubatch_tokens=64),
    Options(context_tokens=10000, slots=3, ubatch_tokens=64),
    Options(context_tokens=8192, slots=4, unified_kv=True, full_window_cache=False, ubatch_tokens=64),
    Options(context_tokens=16384, full_window_cache=False, ubatch_tokens=128),
    Options(context_tokens=4096, flash_attention=False, ubatch_tokens=64),
    Options(context_tokens=6000, slots=2, flash_attention=False, full_window_cache=False, ubatch_tokens=64),
    Options(context_tokens=4096, kv_type_k="Q8_0", kv_type_v="Q8_0", ubatch_tokens=64),
    Options(
        context_tokens=5000, slots=2, kv_type_k="Q8_0", kv_type_v="Q4_0", full_window_cache=False, ubatch_tokens=64
    ),
    Options(context_tokens=512, batch_tokens=32, ubatch_tokens=32, full_window_cache=False),
)
QUANTIZED = tuple(options for options in OPTIONS if options.kv_type_k != "F16")
# head lengths that the blocks of a quantized cache do not divide; K and V that latent attention wants alike
REFUSED = {("phi_2", options) for options in QUANTIZED} | {
    (name, options)
    for name in ("deepseek_v2_lite", "deepseek_r1", "deepseek_v3_like", "deepseek_all_dense")
    for options in QUANTIZED
    if options.kv_type_k != options.kv_type_v
}
# with a quantized cache the table that is sized for their graphs, 8 entries for each tensor of the file, runs full and
# the engine aborts (graph_max_nodes in src/llama-context.cpp, ggml_hash_set in ggml/src/ggml-impl.h, 0c1e57098)
ABORTS = {(name, options) for name in ("granite_3_1_1b_a400m", "phi_4") for options in QUANTIZED} | {
    ("phi_3_medium_128k", options) for options in QUANTIZED if options.kv_type_k != options.kv_type_v
}
ASSIGNED = re.compile(r"layer +(\d+) assigned to device \w+, is_swa = (\d)")
REUSED = re.compile(r"- layer +(\d+): reuse layer (\d+)")


def shape(card: Card) -> ModelShape:
    return shape_of(card.hyperparameters(), card_tensors(card))


def stub_tensors(card: Card) -> list[StubTensor]:
    return [(tensor.name, tensor.dims, tensor.format) for tensor in card_tensors(card)]


def stub(path: Path, card: Card, tensors: list[StubTensor]) -> str:
    write_stub(path, {**card.header(), "tokenizer.ggml.model": "no_vocab"}, tensors)
    return str(path)


def context_parameters(options: Options) -> dict[str, Any]:
    return {
        "n_ctx": options.context_tokens,
        "n_batch": options.batch_tokens,
        "n_ubatch": options.ubatch_tokens,
        "n_seq_max": options.slots,
        "kv_unified": options.unified_kv,
        "flash_attn_type": int(options.flash_attention),
        "type_k": KV_TYPES[options.kv_type_k],
        "type_v": KV_TYPES[options.kv_type_v],
        "swa_full": options.full_window_cache,
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the engine says of every model, from one child process."""
    folder: Path = tmp_path_factory.mktemp("stubs")
    jobs = []
    for name, card in MODELS.items():
        asked = [options for options in OPTIONS if (name, options) not in ABORTS]
        path = stub(folder / f"{name}.gguf", card, stub_tensors(card))
        jobs.append({"path": path, "contexts": [context_parameters(options) for options in asked]})
    return dict(zip(MODELS, ask(jobs), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_engine_takes_every_listed_tensor_and_misses_none(name: str, answers: dict[str, Any]) -> None:
    answer = answers[name]
    assert answer["loaded"], answer["log"]
    unused = [line.split()[4] for line in answer["log"].splitlines() if line.startswith("model has unused tensor")]
    layers = shape(MODELS[name]).layers
    heads = tuple(f"blk.{index}." for index, layer in enumerate(layers) if layer.next_token)
    expected = [tensor for tensor, _, _ in stub_tensors(MODELS[name]) if heads and tensor.startswith(heads)]
    assert sorted(unused) == sorted(expected)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_layers_look_at_a_window(name: str, answers: dict[str, Any]) -> None:
    layers = shape(MODELS[name]).layers
    found = {int(index): bool(int(windowed)) for index, windowed in ASSIGNED.findall(answers[name]["log"])}
    assert [found[index] for index in range(len(layers))] == [
        layer.attention in ("sliding", "chunked") for layer in layers
    ]


@pytest.mark.parametrize("name", MODELS)
def test_the_same_layers_read_the_same_caches(name: str, answers: dict[str, Any]) -> None:
    found = {int(index): int(source) for index, source in REUSED.findall(answers[name]["contexts"][0]["log"])}
    layers = shape(MODELS[name]).layers
    assert found == {index: layer.cache_of for index, layer in enumerate(layers) if layer.cache_of not in (None, index)}


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("name", MODELS)
def test_caches_equal_the_engines_to_the_byte(name: str, options: Options, answers: dict[str, Any]) -> None:
    if (name, options) in ABORTS:
        pytest.skip("the engine aborts")
    asked = [each for each in OPTIONS if (name, each) not in ABORTS]
    context = answers[name]["contexts"][asked.index(options)]
    if (name, options) in REFUSED:
        assert not context["made"]
        return
    assert context["made"], context["log"]
    assert kv_bytes(shape(MODELS[name]), options) == context["cache"]


@pytest.mark.parametrize("name", MODELS)
def test_weights_equal_the_engines_to_the_byte(name: str, answers: dict[str, Any]) -> None:
    card = MODELS[name]
    heads = {f"blk.{index}" for index, layer in enumerate(shape(card).layers) if layer.next_token}
    sizes = {tensor.name: -(-tensor.bytes // 32) * 32 for tensor in card_tensors(card)}
    expected = sum(size for tensor, size in sizes.items() if ".".join(tensor.split(".")[:2]) not in heads)
    if ARCHITECTURES.get(card.architecture).copies_tied_embedding and "output.weight" not in sizes:
        expected += sizes["token_embd.weight"]
    assert answers[name]["contexts"][0]["weights"] == expected


def test_the_figures_are_not_all_alike(answers: dict[str, Any]) -> None:
    made = [context for answer in answers.values() for context in answer["contexts"] if context["made"]]
    assert len({context["cache"] for context in made}) > 2 * len(MODELS)
    assert len({context["weights"] for context in made}) > len(MODELS) // 2


def test_the_engine_refuses_a_list_that_is_wrong(tmp_path: Path) -> None:
    card = CARDS.get("smollm2_135m")
    tensors = stub_tensors(card)
    wrong = {
        "not found": [tensor for tensor in tensors if tensor[0] != "blk.7.attn_k.weight"],
        "wrong number of tensors": [*tensors, ("blk.7.attn_sinks.weight", (9,), "F32")],
        "wrong shape": [
            (name, (dims[0], 64), kind) if name == "blk.7.attn_k.weight" else (name, dims, kind)
            for name, dims, kind in tensors
        ],
    }
    jobs = [
        {"path": stub(tmp_path / f"{number}.gguf", card, list(each)), "contexts": []}
        for number, each in enumerate(wrong.values())
    ]
    for complaint, answer in zip(wrong, ask(jobs), strict=True):
        assert not answer["loaded"]
        assert complaint in answer["log"]
