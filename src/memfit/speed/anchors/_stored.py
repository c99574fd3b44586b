"""The model of an anchor: its card's shape with the bytes that the published format stores."""

from __future__ import annotations

import functools
import re

import msgspec

from memfit.model import ModelShape, Tensor, find_model
from memfit.precision.presets import PRESETS
from memfit.speed.records import Anchor, Math, Touched
from memfit.speed.touched import touched

_ENDS = re.compile(r"(?:token_embd|per_layer_token_embd|output)\.weight")
_OUTPUT = re.compile(r"(?:token_embd|output)\.weight")  # a tied embedding is the output matrix
# small or sensitive matrices that quantized checkpoints leave in 16 bits: routers, convolutions, norms are no matrices
_KEPT = re.compile(r"ffn_gate_inp|conv1d|shortconv\.conv")


class WeightFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How a published checkpoint stores a model that is no GGUF file.

    Attributes:
        bits: of a linear layer's weight, its scales and zero points included.
        output_bits: of the output matrix and the embedding; 16 where quantizers leave them alone.
        math: what the engines that run it multiply with.
        source: the layout.
    """

    bits: float
    output_bits: float = 16.0
    math: Math = "fp16"
    source: str


WEIGHT_FORMATS = {
    "FP16": WeightFormat(bits=16, source="16 bits a number"),
    "BF16": WeightFormat(bits=16, source="16 bits a number"),
    "W8A16": WeightFormat(bits=8.125, source="8 bits, an F16 scale for 128 (TensorRT Edge-LLM int8 weight-only)"),
    "W4A16": WeightFormat(bits=4.125, source="4 bits, an F16 scale for 128, symmetric (compressed-tensors)"),
    "AWQ": WeightFormat(bits=4.15625, source="4 bits, an F16 scale and a 4-bit zero point for 128 (AutoAWQ, GPTQ)"),
    "AWQ-TinyChat": WeightFormat(bits=4.25, source="4 bits, F16 scale and F16 zero point for 128 (llm-awq qmodule.py)"),
    "NVFP4": WeightFormat(
        bits=4.5,
        output_bits=4.5,
        math="fp4",
        source="4 bits, an FP8 scale for 16; the published engines quantize the output matrix too "
        "(NVIDIA/TensorRT-Edge-LLM issue 95: lm_head_quantization)",
    ),
    "q4f16": WeightFormat(
        bits=4.5, output_bits=4.5, source="4 bits, an F16 scale for 32, embedding and output too (mlc-llm q4f16_1)"
    ),
    "pure Q2_K": WeightFormat(
        bits=2.625, output_bits=2.625, math="int8", source="84 bytes for 256 (llama-quantize --pure Q2_K)"
    ),
}
"""By the name that an anchor's ``format`` gives; every other name is a GGUF preset."""


@functools.cache
def anchor_shape(model: str, format: str) -> ModelShape:
    """The shape of a card in a published format.

    Raises:
        UnknownName: no such card, or no such format.
    """
    stored = WEIGHT_FORMATS.get(format)
    if stored is None:
        return find_model(model, format=format)
    shape = find_model(model, format="F16")
    tensors = tuple(_stored(tensor, format, stored, tied=shape.tied_embeddings) for tensor in shape.tensors)
    return msgspec.structs.replace(shape, tensors=tensors)


def anchor_touched(anchor: Anchor) -> Touched:
    """What a generated token of this anchor touches, at the middle of what was generated."""
    depth = (anchor.prompt_tokens or 0) + (anchor.generated_tokens or 0) // 2
    return touched(anchor_shape(anchor.model, anchor.format), depth_tokens=depth, sequences=anchor.concurrency)


def anchor_math(anchor: Anchor) -> Math:
    """What the engine multiplies a prompt of this anchor with."""
    stored = WEIGHT_FORMATS.get(anchor.format)
    if stored is not None:
        return stored.math
    return "fp16" if PRESETS.get(anchor.format).base in ("F16", "BF16", "F32") else "int8"


def _stored(tensor: Tensor, format: str, stored: WeightFormat, *, tied: bool) -> Tensor:
    if len(tensor.dims) < 2 or _KEPT.search(tensor.name):
        return tensor
    is_output = _OUTPUT.fullmatch(tensor.name) if tied else tensor.name == "output.weight"
    bits = stored.output_bits if is_output else 16.0 if _ENDS.fullmatch(tensor.name) else stored.bits
    return Tensor(tensor.name, tensor.dims, format, round(tensor.elements * bits / 8), tensor.offset, tensor.shard)
