"""What a ``quantization_config`` says, by its method."""

import importlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.catalog import fold
from memfit.errors import Malformed
from memfit.model.configs._section import Section
from memfit.model.folder import read_quantization
from memfit.model.quantizations import METHODS, Quantization, Weights

NVFP4 = {
    "config_groups": {
        "group_0": {
            "input_activations": {"dynamic": False, "num_bits": 4, "type": "float", "group_size": 16},
            "weights": {"dynamic": False, "num_bits": 4, "type": "float", "group_size": 16},
            "targets": ["Linear"],
        }
    },
    "ignore": ["lm_head"],
    "quant_algo": "NVFP4",
    "kv_cache_scheme": {"dynamic": False, "num_bits": 8, "type": "float"},
    "quant_method": "modelopt",
}
EXAMPLES: dict[str, tuple[dict[str, Any], Quantization]] = {
    "awq": (
        {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "GEMM"},
        Quantization(
            method="awq",
            format="gemm",
            weights=(Weights(bits=4, kind="int", strategy="group", group_size=128, symmetric=False),),
        ),
    ),
    "gptq": (
        {"quant_method": "gptq", "bits": 3, "group_size": -1, "desc_act": True, "sym": False},
        Quantization(
            method="gptq",
            format="gptq",
            weights=(Weights(bits=3, kind="int", strategy="channel", symmetric=False),),
            group_index=True,
        ),
    ),
    "auto_round": (
        {"quant_method": "auto-round", "bits": 4, "group_size": 64},
        Quantization(
            method="auto-round",
            format="auto_round:gptq",
            weights=(Weights(bits=4, kind="int", strategy="group", group_size=64),),
        ),
    ),
    "compressed_tensors": (
        {
            "quant_method": "compressed-tensors",
            "format": "pack-quantized",
            "ignore": ["lm_head"],
            "config_groups": {
                "group_0": {
                    "targets": ["Linear"],
                    "input_activations": None,
                    "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "actorder": None},
                }
            },
        },
        Quantization(
            method="compressed-tensors",
            format="pack-quantized",
            weights=(Weights(bits=4, kind="int", strategy="group", group_size=128, targets=("Linear",)),),
            kept_modules=("lm_head",),
        ),
    ),
    "fp8": (
        {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [128, 128]},
        Quantization(
            method="fp8",
            format="e4m3",
            weights=(Weights(bits=8, kind="float", strategy="block", block=(128, 128), activation_bits=8),),
        ),
    ),
    "fbgemm_fp8": (
        {"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["lm_head"]},
        Quantization(
            method="fbgemm_fp8",
            weights=(Weights(bits=8, kind="float", strategy="channel", activation_bits=8),),
            kept_modules=("lm_head",),
        ),
    ),
    "modelopt": (
        NVFP4,
        Quantization(
            method="modelopt",
            format="NVFP4",
            weights=(
                Weights(bits=4, kind="float", strategy="group", group_size=16, activation_bits=4, targets=("Linear",)),
            ),
            kept_modules=("lm_head",),
            kv_cache="FP8",
        ),
    ),
    "mxfp4": (
        {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
        Quantization(
            method="mxfp4",
            weights=(Weights(bits=4, kind="float", strategy="group", group_size=32),),
            kept_modules=("model.layers.*.self_attn",),
        ),
    ),
    "bitsandbytes": (
        {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
        Quantization(
            method="bitsandbytes",
            format="nf4",
            weights=(Weights(bits=4, kind="float", strategy="group", group_size=64),),
            double=True,
        ),
    ),
    "exl2": (
        {"quant_method": "exl2", "bits": 4.25, "head_bits": 6},
        Quantization(method="exl2", weights=(Weights(bits=4.25, kind="int"),)),
    ),
    "exl3": (
        {"quant_method": "exl3", "bits": 3.0},
        Quantization(method="exl3", weights=(Weights(bits=3.0, kind="int"),)),
    ),
}


@pytest.mark.parametrize("key", METHODS.keys())
def test_a_method_is_described_and_read(key: str) -> None:
    method = METHODS.get(key)
    assert fold(method.name) == key
    assert method.summary
    assert method.source
    assert importlib.import_module(f"memfit.model.quantizations.{key}").__doc__
    values, expected = EXAMPLES[key]
    assert read_quantization(Section(values)) == expected


def test_modelopt_has_a_file_of_its_own_too() -> None:
    fields = {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}
    read = METHODS.get("modelopt").read(Section({"producer": {"name": "modelopt"}, "quantization": fields}))
    assert (read.format, read.bits, read.kv_cache, read.kept_modules) == ("FP8", 8, "FP8", ("lm_head",))


def test_an_unknown_method_is_known_by_its_name_alone() -> None:
    read = read_quantization(Section({"quant_method": "aqlm", "in_group_size": 8}))
    assert (read.method, read.weights, read.bits) == ("aqlm", (), None)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "quant_method is missing"),
        ({"quant_method": "awq", "bits": 5}, "bits is 5, expected one of 4, 8"),
        ({"quant_method": "gptq"}, "bits is missing"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 0}, "group_size is 0"),
        ({"quant_method": "fp8", "weight_block_size": [128]}, "weight_block_size has 1 entries"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP5"}, "quant_algo is 'NVFP5'"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 32}, "group_size is 32"),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, "config_groups holds no group"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"strategy": "group"}}}},
            "config_groups.g.weights.group_size is missing",
        ),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": True}, "both true"),
        ({"quant_method": "exl2"}, "bits is missing"),
    ],
)
def test_what_contradicts_itself_names_the_field(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_quantization(Section(values, file="config.json", path="quantization_config."))
    assert "config.json: quantization_config." in caught.value.message
    assert complaint in caught.value.message


WILD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 200), st.floats(), st.text(max_size=5), st.just([]), st.just({})
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_no_field_is_a_traceback(key: str, data: st.DataObject) -> None:
    values = dict(EXAMPLES[key][0])
    values[data.draw(st.sampled_from(sorted(values)))] = data.draw(WILD)
    with suppress(Malformed):
        assert read_quantization(Section(values, file="config.json")).method
