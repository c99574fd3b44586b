"""Recurrent and hybrid models against the engine: every tensor it wants and no other, every byte of its caches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_child import HAS_ENGINE, ask
from memfit.engine._llama_cpp.cache import kv_bytes, state_bytes
from memfit.engine.records import Options
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS, Card
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape
from stub_file import write_stub

pytestmark = [pytest.mark.engine, pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed")]

NAMES = (
    "falcon_h1_0_5b",
    "falcon_h1_1_5b",
    "falcon_mamba_7b",
    "granite_4_0_h_1b",
    "granite_4_0_h_micro",
    "granite_4_0_h_small",
    "granite_4_0_h_tiny",
    "jamba_v0_1",
    "lfm2_1_2b",
    "lfm2_2_6b",
    "lfm2_350m",
    "lfm2_5_vl_1_6b",
    "lfm2_700m",
    "lfm2_8b_a1b",
    "mamba2_2_7b",
    "mamba2_780m",
    "mamba_130m",
    "mamba_2_8b",
    "mamba_codestral_7b",
    "nemotron_3_nano_30b_a3b",
    "nemotron_3_nano_4b",
    "nemotron_h_8b",
    "nemotron_nano_9b_v2",
    "qwen3_5_0_8b",
    "qwen3_5_27b",
    "qwen3_5_2b",
    "qwen3_5_35b_a3b",
    "qwen3_5_4b",
    "qwen3_5_9b",
    "qwen3_next_80b_a3b",
    "rwkv7_g1_0_4b",
    "rwkv7_g1_2_9b",
)


def changed(card: str, **changes: Value) -> Card:
    """A card with other hyperparameters, ``__`` standing for the dot of a key."""
    base = CARDS.get(card)
    values = {key.replace("__", "."): value for key, value in changes.items()}
    return replace(base, metadata={**base.metadata, **values})


def extended(card: str, key: str, value: int) -> list[int]:
    """A card's array with one more layer at its end."""
    array = CARDS.get(card).metadata[key]
    assert isinstance(array, list)
    return [*array, value]


# what headers may say and no card says
VARIANTS = {
    "qwen3next_next_token": changed("qwen3_next_80b_a3b", block_count=49, nextn_predict_layers=1),
    "qwen35_listed_layers": changed("qwen3_5_0_8b", attention__recurrent_layers=[True, True, False] * 8 + [False]),
    "qwen35_other_interval": changed("qwen3_5_0_8b", full_attention_interval=3),
    "nemotron_next_token": changed(
        "nemotron_3_nano_30b_a3b",
        block_count=53,
        nextn_predict_layers=1,
        moe_latent_size=1024,
        feed_forward_length=extended("nemotron_3_nano_30b_a3b", "feed_forward_length", 1856),
        attention__head_count_kv=extended("nemotron_3_nano_30b_a3b", "attention.head_count_kv", 2),
    ),
    "lfm2_windowed": changed("lfm2_350m", attention__sliding_window=300, embedding_length_out=128),
    "jamba_dense": changed("jamba_v0_1", expert_count=1, expert_used_count=1),
    "granite_no_shared": changed("granite_4_0_h_tiny", expert_shared_feed_forward_length=0),
}
MODELS = {**{name: CARDS.get(name) for name in NAMES}, **VARIANTS}
# one model of each architecture, small: the engine really allocates recurrent state
CACHED = (
    "falcon_h1_0_5b",
    "granite_4_0_h_1b",
    "jamba_v0_1",
    "lfm2_1_2b",
    "lfm2_8b_a1b",
    "mamba2_780m",
    "mamba_130m",
    "nemotron_3_nano_30b_a3b",
    "nemotron_3_nano_4b",
    "qwen3_5_0_8b",
    "qwen3_5_35b_a3b",
    "qwen3_next_80b_a3b",
    "rwkv7_g1_0_4b",
    *VARIANTS,
)
OPTIONS = (
    Options(context_tokens=512, ubatch_tokens=64),
    Options(context_tokens=5000, slots=3, ubatch_tokens=64),
    Options(context_tokens=8192, slots=4, unified_kv=True, ubatch_tokens=64, kv_type_k="Q8_0", kv_type_v="Q8_0"),
    Options(context_tokens=4096, slots=2, ubatch_tokens=32, flash_attention=False),
    Options(context_tokens=1000, slots=3, unified_kv=True, ubatch_tokens=64, rollback_tokens=2),
    Options(context_tokens=9000, slots=3, ubatch_tokens=64, full_window_cache=False, rollback_tokens=1),
    Options(context_tokens=9000, slots=3, ubatch_tokens=64, full_window_cache=False, unified_kv=True),
    Options(context_tokens=70000, ubatch_tokens=64, kv_type_k="Q8_0", rollback_tokens=1),
)
KV_TYPES = {"F16": 1, "Q8_0": 8}


def shape_of(name: str) -> ModelShape:
    card = MODELS[name]
    meta = card.hyperparameters()
    plan = ARCHITECTURES.get(card.architecture).plan(meta)
    return ModelShape(
        architecture=card.architecture,
        name=card.name,
        parameters=0,
        parameters_active=0,
        embedding_length=meta.integer("embedding_length"),
        vocabulary_tokens=meta.vocabulary_tokens(),
        context_trained_tokens=meta.integer("context_length"),
        memory=plan.memory,
        window_tokens=plan.window_tokens,
        causal=plan.causal,
        layers=plan.layers,
    )


def tensors_of(name: str) -> list[tuple[str, tuple[int, ...], str]]:
    card = MODELS[name]
    listed = ARCHITECTURES.get(card.architecture).tensors(card.hyperparameters())
    kept = [entry for entry in listed if not (card.tied and entry[0] == "output.weight")]
    # matrices in F16, what the mixers compute with in F32, as converters write them
    return [
        (tensor, dims, "F16" if len(dims) > 1 and "ssm_" not in tensor and "conv" not in tensor else "F32")
        for tensor, dims in kept
    ]


def context_parameters(options: Options) -> dict[str, Any]:
    return {
        "n_ctx": options.context_tokens,
        "n_batch": options.batch_tokens,
        "n_ubatch": options.ubatch_tokens,
        "n_seq_max": options.slots,
        "n_rs_seq": options.rollback_tokens,
        "kv_unified": options.unified_kv,
        "flash_attn_type": int(options.flash_attention),
        "type_k": KV_TYPES[options.kv_type_k],
        "type_v": KV_TYPES[options.kv_type_v],
        "swa_full": options.full_window_cache,
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the engine says of every card, from one child process."""
    folder: Path = tmp_path_factory.mktemp("stubs")
    jobs = []
    for name, card in MODELS.items():
        path = folder / f"{name}.gguf"
        write_stub(path, {**card.header(), "tokenizer.ggml.model": "no_vocab"}, tensors_of(name))
        contexts = [context_parameters(options) for options in OPTIONS] if name in CACHED else []
        jobs.append({"path": str(path), "contexts": contexts})
    return dict(zip(MODELS, ask(jobs), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_engine_takes_every_listed_tensor_and_misses_none(name: str, answers: dict[str, Any]) -> None:
    answer = answers[name]
    assert answer["loaded"], answer["log"]
    unused = [line.split()[4] for line in answer["log"].splitlines() if line.startswith("model has unused tensor")]
    predicts = [index for index, layer in enumerate(shape_of(name).layers) if layer.next_token]
    expected = [tensor for tensor, _, _ in tensors_of(name) if tensor.startswith(tuple(f"blk.{i}." for i in predicts))]
    assert sorted(unused) == sorted(expected)


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("name", CACHED)
def test_caches_equal_the_engines_to_the_byte(name: str, options: Options, answers: dict[str, Any]) -> None:
    context = answers[name]["contexts"][OPTIONS.index(options)]
    assert context["made"], context["log"]
    shape = shape_of(name)
    assert kv_bytes(shape, options) + state_bytes(shape, options) == context["cache"]


def test_the_figures_are_not_all_alike(answers: dict[str, Any]) -> None:
    caches = [context["cache"] for answer in answers.values() for context in answer["contexts"]]
    assert len(caches) == len(CACHED) * len(OPTIONS)
    assert len(set(caches)) > len(CACHED) * 4
