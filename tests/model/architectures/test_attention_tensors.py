"""The tensors of attention models against real ones: published counts, headers of real conversions, makers' configs."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from attention_models import NAMES
from memfit.model._build import layout
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS

DATA = Path(__file__).parents[4] / "shared" / "data"
CONFIGS = DATA / "hf_configs"
DUMPS = DATA / "models" / "gguf_dumps"
STATED = re.compile(r"whose ([\d,]+) parameters it gives exactly")

# "loaded meta data with N key-value pairs and M tensors" in public logs of real files
LOGGED = {
    "llama_3_8b": 291,  # github.com/abetlen/llama-cpp-python/pull/1497
    "qwen2_5_0_5b": 290,  # github.com/ollama/ollama/issues/9031: 121 + 132 + 13 + 12 + 12 by type
    "gemma_3n_e2b": 727,  # github.com/invisiofficial/rk-llama.cpp/issues/6
    "gemma_4_e2b": 601,  # github.com/mudler/LocalAI/issues/9334
    "gemma_4_e4b": 720,  # github.com/ggml-org/llama.cpp/issues/21328
    "gemma_4_26b_a4b": 658,  # github.com/mudler/LocalAI/issues/9240
    "command_r": 322,  # github.com/ggml-org/llama.cpp/pull/6033
    "deepseek_v3": 1086,  # github.com/ikawrakow/ik_llama.cpp/pull/394
    "phi_3_medium_128k": 245,  # github.com/ggml-org/llama.cpp/issues/7439
}

# the dump of another version of the model where it has the same tensors
DUMPED = {
    "llama_3_8b": "Meta-Llama-3-8B-Instruct",
    "mistral_7b_v0_3": "Mistral-7B-Instruct-v0.2",
    "mixtral_8x7b": "Mixtral-8x7B-Instruct-v0.1",
    "phi_3_mini_128k": "Phi-3-mini-128k-instruct",
    "qwen2_5_0_5b": "Qwen2.5-0.5B-Instruct",
    "all_minilm_l6_v2": "all-MiniLM-L6-v2",
    "command_r": "c4ai-command-r-v01",
    "gemma_2_2b": "gemma-2-2b-it",
    "gemma_2b": "gemma-2b-it",
}

CONFIGURED = {
    "deepseek_r1_distill_qwen_1_5b": "DeepSeek-R1-Distill-Qwen-1.5B",
    "deepseek_v2_lite": "DeepSeek-V2-Lite",
    "gemma_2_27b": "gemma-2-27b",
    "gemma_2_2b": "gemma-2-2b",
    "gemma_2b": "gemma-2b",
    "gemma_3_1b": "gemma-3-1b-it",
    "gemma_3_4b": "gemma-3-4b",
    "gemma_4_26b_a4b": "gemma-4-26B-A4B",
    "gemma_4_e2b": "gemma-4-E2B",
    "gpt_2": "gpt2",
    "gpt_oss_20b": "gpt-oss-20b",
    "gpt_oss_120b": "_class_defaults/gpt_oss",
    "llama_3_1_8b": "Llama-3.1-8B",
    "llama_3_2_1b": "Llama-3.2-1B",
    "llama_3_2_3b": "Llama-3.2-3B",
    "ministral_3_3b": "Ministral-3-3B-2512",
    "mistral_7b_v0_3": "Mistral-7B-v0.3",
    "mixtral_8x7b": "Mixtral-8x7B-v0.1",
    "phi_3_5_mini": "Phi-3.5-mini",
    "phi_4_mini": "Phi-4-mini",
    "qwen2_5_0_5b": "Qwen2-0.5B",
    "qwen2_5_1_5b": "Qwen2.5-1.5B",
    "qwen2_5_3b": "Qwen2.5-3B",
    "qwen2_5_7b": "Qwen2.5-7B",
    "qwen2_5_vl_7b": "Qwen2.5-VL-7B-Instruct",
    "qwen3_0_6b": "Qwen3-0.6B",
    "qwen3_14b": "Qwen3-14B",
    "qwen3_1_7b": "Qwen3-1.7B",
    "qwen3_30b_a3b": "Qwen3-30B-A3B",
    "qwen3_4b": "Qwen3-4B",
    "qwen3_8b": "Qwen3-8B",
    "qwen3_vl_2b": "Qwen3-VL-2B-Instruct",
    "qwen3_vl_4b": "Qwen3-VL-4B-Instruct",
    "smollm2_135m": "SmolLM2-135M",
    "smollm2_360m": "SmolLM2-360M",
    "smollm3_3b": "_class_defaults/smollm3",
    "phi_3_mini_4k": "_class_defaults/phi3",
    "tinyllama_1_1b": "TinyLlama-1.1B-Chat-v1.0",
}
# the counts of these hold an encoder of images or sound as well
MULTIMODAL = {
    "gemma_3_4b",
    "gemma_4_26b_a4b",
    "gemma_4_e2b",
    "ministral_3_3b",
    "qwen2_5_vl_7b",
    "qwen3_vl_2b",
    "qwen3_vl_4b",
}

CONFIG_KEYS = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "vocab_size": "vocab_size",
    "head_dim": "attention.key_length",
    "num_local_experts": "expert_count",
    "num_experts": "expert_count",
    "n_routed_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
    "top_k_experts": "expert_used_count",
    "moe_intermediate_size": "expert_feed_forward_length",
    "kv_lora_rank": "attention.kv_lora_rank",
    "num_kv_shared_layers": "attention.shared_kv_layers",
    "max_position_embeddings": "context_length",
}
# where a conversion writes another value than the config, and why
CONVERTED = {
    ("deepseek_v2_lite", "num_key_value_heads"): "latent attention becomes one key/value head",
    ("gemma_3_4b", "max_position_embeddings"): "this transcript gives 163840, the published files 131072",
    ("gemma_4_26b_a4b", "head_dim"): "the window layers' length",
    ("gemma_4_e2b", "head_dim"): "the window layers' length",
    ("smollm3_3b", "max_position_embeddings"): "class default; the model has 65536",
}


def tensors(name: str) -> dict[str, tuple[int, ...]]:
    card = CARDS.get(name)
    return dict(layout(card.hyperparameters(), tied=card.tied))


def parameters(name: str) -> int:
    """Numbers in all tensors; the tables of the rotary embedding are no parameters."""
    return sum(math.prod(dims) for tensor, dims in tensors(name).items() if not tensor.startswith("rope_"))


def read(path: Path) -> dict[str, Any]:
    if not path.exists():
        pytest.skip(f"no shared data: {path.name}")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", [name for name in NAMES if STATED.search(CARDS.get(name).source)])
def test_a_card_gives_the_parameters_its_source_states(name: str) -> None:
    stated = STATED.search(CARDS.get(name).source)
    assert stated is not None
    assert parameters(name) == int(stated[1].replace(",", ""))


@pytest.mark.parametrize("name", LOGGED)
def test_as_many_tensors_as_real_files_have(name: str) -> None:
    assert len(tensors(name)) == LOGGED[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_tensor_is_listed_twice_or_empty(name: str) -> None:
    card = CARDS.get(name)
    listed = layout(card.hyperparameters(), tied=card.tied)
    assert len(listed) == len({tensor for tensor, _ in listed})
    assert all(min(dims) > 0 for _, dims in listed)


@pytest.mark.parametrize("name", DUMPED)
def test_names_are_those_of_a_real_conversion(name: str) -> None:
    dump = read(DUMPS / f"{DUMPED[name]}.json")
    real = {key for key in dump if key.endswith((".weight", ".bias"))}
    # this dump leaves out the embedding, which the file must have
    missing = {"token_embd.weight"} if name == "command_r" else set()
    assert set(tensors(name)) - missing == real


@pytest.mark.parametrize("name", DUMPED)
def test_hyperparameters_are_those_of_a_real_conversion(name: str) -> None:
    dump = read(DUMPS / f"{DUMPED[name]}.json")
    shared = {key: value for key, value in CARDS.get(name).header().items() if key in dump}
    shared.pop("general.name", None)
    assert len(shared) >= 8
    for key, value in shared.items():
        text = str(dump[key])  # the dumps hold every value as text
        assert float(text) == pytest.approx(value) if isinstance(value, float) else text == str(value).lower(), key


@pytest.mark.parametrize("name", [name for name in CONFIGURED if name not in MULTIMODAL])
def test_parameters_are_those_counted_from_the_config(name: str) -> None:
    counted = read(CONFIGS / "param_counts.json")[CONFIGURED[name]]["params"]
    if name == "deepseek_v2_lite":
        # its config leaves out q_lora_rank; the count took the class default of 1536 where the model has none
        compressed = 2048 * 1536 + 1536 + 1536 * 3072
        counted -= 27 * (compressed - 2048 * 3072)
    assert parameters(name) == counted


@pytest.mark.parametrize("name", CONFIGURED)
def test_hyperparameters_are_those_of_the_config(name: str) -> None:
    config = read(CONFIGS / CONFIGURED[name] / "config.json")
    config = {**config, **config.get("text_config", {})}
    metadata = CARDS.get(name).metadata
    compared = 0
    for theirs, ours in CONFIG_KEYS.items():
        if config.get(theirs) is None or ours not in metadata or (name, theirs) in CONVERTED:
            continue
        value = metadata[ours]
        assert (value[0] if isinstance(value, list) else value) == config[theirs], theirs
        compared += 1
    assert compared >= (1 if name == "gpt_2" else 5)
    tied = config.get("tie_word_embeddings")
    assert tied is None or tied == CARDS.get(name).tied


@pytest.mark.parametrize("name", ["gemma_4_26b_a4b", "gemma_4_e2b", "gpt_oss_20b"])
def test_windows_are_those_of_the_config(name: str) -> None:
    config = read(CONFIGS / CONFIGURED[name] / "config.json")
    config = {**config, **config.get("text_config", {})}
    card = CARDS.get(name)
    plan = ARCHITECTURES.get(card.architecture).plan(card.hyperparameters())
    assert [f"{layer.attention}_attention" for layer in plan.layers] == config["layer_types"]
    assert plan.window_tokens == config["sliding_window"]
