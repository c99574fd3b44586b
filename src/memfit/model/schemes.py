"""A model's shape in a weight format of checkpoints: the same tensors, sized as such a checkpoint stores them."""

from __future__ import annotations

import re

import msgspec

from memfit.errors import UsageError
from memfit.model.shape import ModelShape, Tensor
from memfit.precision._scheme import Part, Scheme
from memfit.precision._tensors import is_quantized
from memfit.precision.schemes import SCHEMES

_BLOCK = re.compile(r"blk\.(\d+)\.")
# tables and factors that a conversion to GGUF adds, or that a checkpoint computes anew
_NOT_IN_CHECKPOINTS = re.compile(r"rope_freqs\.weight|rope_factors_(?:long|short)\.weight")
_ROUTERS = ("ffn_gate_inp", "ffn_gate_inp_shexp")
_CONVOLUTIONS = ("ssm_conv1d", "shortconv.conv")
_HEARING = "a."  # llama.cpp's prefix of an encoder of sound


def part_of(name: str, dims: tuple[int, ...]) -> Part:
    """The part of a model that a tensor of a GGUF file belongs to, for what quantizers of checkpoints keep in 16 bits.

    Args:
        name: in GGUF's words, ``blk.3.ffn_up.weight``.
        dims: the row first.
    """
    stem = _BLOCK.sub("", name, count=1).removesuffix(".weight")
    if name in ("token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight"):
        return "embedding"
    if name == "output.weight":
        return "output"
    if stem.endswith("norm"):
        return "norm"
    if len(dims) < 2 or not name.endswith(".weight"):
        return "other"
    if stem in _ROUTERS:
        return "router"
    if stem.startswith(_CONVOLUTIONS):
        return "convolution"
    # small tables that llama.cpp's quantizer keeps stand for those that quantizers of checkpoints ignore
    return "linear" if _BLOCK.match(name) and is_quantized(name, dims, "") else "other"


def in_scheme(shape: ModelShape, scheme: str | Scheme) -> ModelShape:
    """The same model as a checkpoint in ``scheme``, before anyone has made it; no shards, no offsets.

    Heads that predict further tokens are left out, as engines load them only where they are asked to.

    Args:
        shape: with tensors in GGUF's names: of a card or a GGUF file.
        scheme: a scheme, or the name of one.

    Raises:
        UnknownName: no such scheme.
        UsageError: rows that its quantizer refuses, or tensors of other names.
    """
    chosen = scheme if isinstance(scheme, Scheme) else SCHEMES.get(scheme)
    if not any(tensor.name == "token_embd.weight" for tensor in shape.tensors):
        raise UsageError(
            f"{shape.name}: its tensors do not tell what is a linear layer, so {chosen.name} cannot be sized",
            hint="leave out --format: the file is taken as it is",
        )
    speech = shape.kind == "speech"
    has_experts = any(layer.experts for layer in shape.layers)
    known: dict[tuple[str, tuple[int, ...]], int] = {}  # layers are alike
    tensors = tuple(
        Tensor(
            tensor.name, tensor.dims, chosen.name, _bytes(tensor, chosen, known, has_experts=has_experts, speech=speech)
        )
        for tensor in shape.tensors
        if not _NOT_IN_CHECKPOINTS.fullmatch(tensor.name)
        and not _further(tensor.name, shape)
        and not (shape.tied_embeddings and tensor.name == "output.weight")
    )
    if chosen.unties and shape.tied_embeddings:
        dims = next(tensor.dims for tensor in shape.tensors if tensor.name == "token_embd.weight")
        tensors += (Tensor("output.weight", dims, chosen.name, chosen.part_bytes("output", dims)),)
    return msgspec.structs.replace(shape, tensors=tensors, shards=(), file_type=None)


def _bytes(
    tensor: Tensor, scheme: Scheme, known: dict[tuple[str, tuple[int, ...]], int], *, has_experts: bool, speech: bool
) -> int:
    head, _, rest = tensor.name.partition(".")
    alike = (rest.partition(".")[2] if head == "blk" else tensor.name, tensor.dims)
    if alike not in known:
        dense = has_experts and "_exps." not in tensor.name
        try:
            part, dims = _part_of_speech(tensor) if speech else (part_of(tensor.name, tensor.dims), tensor.dims)
            known[alike] = scheme.part_bytes(part, dims, dense_of_experts=dense)
        except UsageError as error:
            raise UsageError(f"{tensor.name}: {error.message}", hint=error.hint) from None
    return known[alike]


def _part_of_speech(tensor: Tensor) -> tuple[Part, tuple[int, ...]]:
    """An encoder of sound is left in 16 bits in a language model that hears; in a model for speech it is half of it.

    Convolutions are matrices of taps and bands, and positions are added as they are (CTranslate2,
    python/ctranslate2/specs/whisper_spec.py).
    """
    name = tensor.name.removeprefix(_HEARING)
    if name.startswith("conv1d") and len(tensor.dims) > 1:
        return "convolution", (tensor.elements // tensor.dims[-1], tensor.dims[-1])
    return ("other" if name == "position_embd.weight" else part_of(name, tensor.dims)), tensor.dims


def _further(name: str, shape: ModelShape) -> bool:
    match = _BLOCK.match(name)
    if match is None:
        return False
    index = int(match.group(1))
    return index < len(shape.layers) and shape.layers[index].next_token
