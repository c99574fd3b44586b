"""FP8: eight-bit floats with a scale for the tensor, or for blocks of 128 rows and columns."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, kept, kv_cache
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The fields of ``Fp8Config``: a scale for the tensor unless ``weight_block_size`` is there.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds.
    """
    block = config.integers("weight_block_size", least=1, count=2) if config.has("weight_block_size") else None
    weights = Weights(
        bits=8,
        kind="float",
        strategy="tensor" if block is None else "block",
        block=None if block is None else (block[0], block[1]),
        activation_bits=8,
    )
    return Quantization(
        method="fp8",
        format=config.text("fmt", "e4m3"),
        weights=(weights,),
        kept_modules=kept(config, "modules_to_not_convert", "ignored_layers"),
        kv_cache=kv_cache(config),
    )


METHOD = Method(
    name="fp8",
    summary="eight-bit floats, scaled by tensor or by block",
    source=(
        "vllm/model_executor/layers/quantization/fp8.py, Fp8Config (vllm 0071b24bf); transformers 5.23.0"
        " utils/quantization_config.py, FineGrainedFP8Config"
    ),
    read=read,
)
