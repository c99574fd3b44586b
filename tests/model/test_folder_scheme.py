"""Checkpoints whose weights are not here: sized by the scheme that their config means."""

import json
from pathlib import Path
from typing import Any

import pytest

from memfit.errors import Malformed, ModelError
from memfit.model import find_model
from memfit.model._build import card_shape
from memfit.model._folder.scheme import scheme_of
from memfit.model.cards import CARDS
from memfit.model.quantizations import Quantization
from memfit.model.quantizations._quantization import Weights
from memfit.model.schemes import in_scheme

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}


def folder(path: Path, **changes: Any) -> str:
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps({**LLAMA, **changes}))
    return str(path)


def test_awq_takes_what_a_card_in_awq_takes(tmp_path: Path) -> None:
    found = find_model(folder(tmp_path / "m", quantization_config=AWQ))
    of_card = in_scheme(card_shape(CARDS.get("llama_3_2_1b"), "F16"), "awq")
    assert found.weights_bytes == of_card.weights_bytes
    assert found.parameters == 1_235_814_400


def test_without_a_quantization_it_is_sized_in_its_dtype(tmp_path: Path) -> None:
    assert find_model(folder(tmp_path / "m")).weights_bytes == 2 * 1_235_814_400


def test_one_that_no_scheme_describes_is_not_sized_without_its_weights(tmp_path: Path) -> None:
    odd = {"quant_method": "exl2", "bits": 5.0}
    with pytest.raises(ModelError, match="quantized by 'exl2'"):
        find_model(folder(tmp_path / "m", quantization_config=odd))


def test_sizes_that_the_scheme_cannot_store_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="its sizes do not allow"):
        find_model(folder(tmp_path / "m", quantization_config=AWQ, intermediate_size=8200))


def weights(bits: float, **more: Any) -> tuple[Weights, ...]:
    return (Weights(bits=bits, kind=more.pop("kind", "int"), **more),)


@pytest.mark.parametrize(
    ("quantization", "name"),
    [
        (Quantization(method="gptq", weights=weights(4, strategy="group", group_size=128)), "GPTQ"),
        (Quantization(method="fp8", weights=weights(8, kind="float", strategy="block", block=(128, 128))), "block"),
        (Quantization(method="modelopt", weights=weights(4, kind="float", strategy="group", group_size=16)), "NVFP4"),
        (Quantization(method="mxfp4", weights=weights(4, kind="float", strategy="group", group_size=32)), "MXFP4"),
        (Quantization(method="compressed-tensors", weights=weights(8, strategy="channel", activation_bits=8)), "W8A8"),
        (Quantization(method="compressed-tensors", weights=weights(4, strategy="group", group_size=128)), "W4A16"),
    ],
)
def test_what_configs_mean(quantization: Quantization, name: str) -> None:
    scheme = scheme_of(quantization)
    assert scheme is not None
    assert name in f"{scheme.name} {scheme.summary}"


@pytest.mark.parametrize(
    "quantization", [Quantization(method="unheard"), Quantization(method="awq", weights=weights(2))]
)
def test_what_they_may_mean_and_nobody_knows(quantization: Quantization) -> None:
    assert scheme_of(quantization) is None
