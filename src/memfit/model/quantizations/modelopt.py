"""NVIDIA ModelOpt: NVFP4, FP8 and others by the name of the algorithm; also ``hf_quant_config.json``."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._groups import read_groups
from memfit.model.quantizations._method import MOST_GROUP, Method, kept, kv_cache
from memfit.model.quantizations._quantization import Quantization, Weights

# QUANT_ALGOS of vllm/model_executor/layers/quantization/modelopt.py (vllm 00155cdec), and those that ModelOpt exports
# for TensorRT-LLM, which calls them QuantAlgo
ALGORITHMS = {
    "FP8": Weights(bits=8, kind="float", strategy="tensor", activation_bits=8),
    "FP8_PER_CHANNEL_PER_TOKEN": Weights(bits=8, kind="float", strategy="channel", activation_bits=8),
    "FP8_PB_WO": Weights(bits=8, kind="float", strategy="block", block=(128, 128)),
    "NVFP4": Weights(bits=4, kind="float", strategy="group", group_size=16, activation_bits=4),
    "W4A16_NVFP4": Weights(bits=4, kind="float", strategy="group", group_size=16),
    "MXFP8": Weights(bits=8, kind="float", strategy="group", group_size=32, activation_bits=8),
    "W4A16_AWQ": Weights(bits=4, kind="int", strategy="group", group_size=128),
    "W4A16_GPTQ": Weights(bits=4, kind="int", strategy="group", group_size=128, symmetric=False),
    "W4A8_AWQ": Weights(bits=4, kind="int", strategy="group", group_size=128, activation_bits=8),
    "W8A8_SQ_PER_CHANNEL": Weights(bits=8, kind="int", strategy="channel", activation_bits=8),
}


def read(config: Section) -> Quantization:
    """The fields, which ``hf_quant_config.json`` holds in a section of its own.

    Raises:
        Malformed: a field is of the wrong kind or contradicts the algorithm, or there is none.
    """
    nested = config.section("quantization")
    fields = config if nested is None else nested
    algorithm = fields.text("quant_algo").upper()
    cache = fields.text("kv_cache_quant_algo").upper() or kv_cache(config)
    left = kept(fields, "exclude_modules", "ignore")
    if fields.has("config_groups"):
        weights, ordered = read_groups(fields)
        return Quantization(
            method="modelopt",
            format=algorithm,
            weights=weights,
            group_index=ordered,
            kept_modules=left,
            kv_cache=cache,
        )
    if algorithm == "MIXED_PRECISION":
        # each layer's algorithm stands in a list that differs between releases: the files themselves tell more
        return Quantization(method="modelopt", format=algorithm, kept_modules=left, kv_cache=cache)
    if algorithm not in ALGORITHMS:
        raise fields.malformed("quant_algo", f"is {algorithm!r}, expected one of {', '.join(sorted(ALGORITHMS))}")
    usual = ALGORITHMS[algorithm]
    size = fields.maybe("group_size", default=usual.group_size, most=MOST_GROUP)
    if size is not None and usual.group_size is not None and size != usual.group_size and usual.kind == "float":
        raise fields.malformed("group_size", f"is {size}, and {algorithm} has groups of {usual.group_size}")
    chosen = Weights(
        bits=usual.bits,
        kind=usual.kind,
        strategy=usual.strategy,
        group_size=(size or usual.group_size) if usual.group_size else None,
        block=usual.block,
        activation_bits=usual.activation_bits,
    )
    return Quantization(method="modelopt", format=algorithm, weights=(chosen,), kept_modules=left, kv_cache=cache)


METHOD = Method(
    name="modelopt",
    summary="NVFP4, FP8, W4A16 and others by the name of the algorithm",
    source="vllm/model_executor/layers/quantization/modelopt.py (vllm 00155cdec)",
    read=read,
    aliases=("modelopt_fp4", "modelopt_mixed"),
)
