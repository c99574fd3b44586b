"""A model's shape put together: what the architecture says of the header, and the tensors of the file or the card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from memfit.model.architectures import ARCHITECTURES, Architecture, TensorSpec
from memfit.model.cards import Card
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer, ModelShape, Tensor
from memfit.model.unknown import unknown_architecture
from memfit.precision import FORMATS
from memfit.precision.mixture import Mix, mix
from memfit.precision.presets import PRESETS

_ALIGNMENT = 32  # GGUF_DEFAULT_ALIGNMENT, ggml/include/gguf.h
_BLOCK = re.compile(r"blk\.(\d+)\.")

# tensors of two and more dimensions that a conversion leaves in F32: prepare_tensors in llama.cpp conversion/base.py
# (0c1e57098), which also keeps every vector, every norm and whatever is not called a weight
_FULL_PRECISION = re.compile(
    r"(?:blk\.\d+\.)?(?:ffn_gate_inp|ffn_gate_inp_shexp|ssm_conv1d|shortconv\.conv|altup_correct_coef"
    r"|altup_predict_coef|position_embd|token_types|indexer\.proj|ssm_conv1d_[qkv]"
    r"|time_mix_(?:first|w1|w2|decay_w1|decay_w2|lerp_fused)|\w+_norm)\.weight"
)


def shape_of(
    meta: Metadata, tensors: Sequence[Tensor], *, name: str | None = None, vocabulary_tokens: int | None = None
) -> ModelShape:
    """The shape of a model by its header and its tensors; tokenizer, shards and towers are the caller's to add.

    Args:
        meta: the header.
        tensors: every tensor of all weight files.
        name: what the model is called; ``general.name`` of the header where not given.
        vocabulary_tokens: the tokens where no tensor tells; rows of ``token_embd.weight`` come first.

    Raises:
        UnknownArchitecture: no architecture file describes it; the hint names the nearest.
        Malformed: the header contradicts itself.
    """
    architecture = _architecture(meta)
    plan = architecture.plan(meta)
    names = {tensor.name for tensor in tensors}
    parameters = sum(tensor.elements for tensor in tensors if not tensor.name.startswith(_COMPUTED))
    inactive = sum(inactive_elements(tensor, plan.layers) for tensor in tensors)
    return ModelShape(
        architecture=meta.architecture,
        name=name if name is not None else meta.text("general.name", "unnamed"),
        kind="embedding" if plan.memory == "none" else "text",
        parameters=parameters,
        parameters_active=parameters - inactive,
        embedding_length=meta.integer("embedding_length", least=1),
        vocabulary_tokens=_vocabulary(meta, tensors, vocabulary_tokens),
        context_trained_tokens=meta.integer("context_length", least=1),
        memory=plan.memory,
        window_tokens=plan.window_tokens,
        causal=plan.causal,
        # an encoder has no output matrix, so there is nothing to tie
        tied_embeddings=plan.memory != "none" and "token_embd.weight" in names and "output.weight" not in names,
        copies_tied_embedding=architecture.copies_tied_embedding,
        layers=plan.layers,
        dimensions=_dimensions(meta),
        tensors=tuple(tensors),
        file_type=_file_type(meta),
    )


def card_shape(card: Card, preset: str = "F16") -> ModelShape:
    """The shape of a well-known model as llama.cpp converts it and quantizes it to ``preset``.

    Raises:
        UnknownName: no such preset.
        UsageError: the engine cannot quantize this model to that preset.
    """
    converted = shape_of(card.hyperparameters(), card_tensors(card), name=card.name)
    tensors = quantized(converted, preset)
    return msgspec.structs.replace(converted, tensors=tensors, file_type=PRESETS.get(preset).file_type)


def quantized(shape: ModelShape, preset: str) -> tuple[Tensor, ...]:
    """The tensors of ``shape`` as the engine quantizes them to ``preset``, one behind the other as in a file.

    Raises:
        UnknownName, UsageError, UnknownArchitecture: as ``mixed``.
    """
    formats = {choice.name: choice for choice in mixed(shape, preset).choices}
    result = []
    offset = 0
    for tensor in shape.tensors:
        choice = formats[tensor.name]
        result.append(Tensor(tensor.name, tensor.dims, choice.format, choice.bytes, offset))
        offset += -(-choice.bytes // _ALIGNMENT) * _ALIGNMENT
    return tuple(result)


def mixed(shape: ModelShape, preset: str, *, has_imatrix: bool = False) -> Mix:
    """What each tensor of ``shape`` becomes under ``preset``, and where the engine falls back to another format.

    ``has_imatrix``: an importance matrix is given, which changes some choices.

    Raises:
        UnknownName: no such preset.
        UsageError: the engine cannot quantize this model to that preset.
        UnknownArchitecture: the mix depends on layers, and no architecture file describes them.
    """
    if not shape.layers:
        file = shape.shards[0].path if shape.shards else None
        so = f", so it cannot tell the tensors of {preset}"
        hint = "without --format the file is taken as it is"
        raise unknown_architecture(shape.architecture, file=file, so=so, hint=hint)
    first, stated = shape.layers[0], shape.dimensions
    return mix(
        preset,
        shape.architecture,
        ((tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors),
        layers=len(shape.layers),
        # what the header states of the first layer, which may be of another kind than those with heads or experts
        heads=stated.get("attention.head_count", first.heads),
        kv_heads=stated.get("attention.head_count_kv", first.kv_heads),
        experts=stated.get("expert_count", 0),
        has_imatrix=has_imatrix,
    )


def card_tensors(card: Card, format: str = "F16") -> tuple[Tensor, ...]:
    """The tensors of a card's model as a conversion to ``format`` writes them, norms and small tables in F32.

    Raises:
        UnknownName: no such format.
        UsageError: rows that do not divide into the format's blocks.
    """
    wide, full = FORMATS.get(format), FORMATS.get("F32")
    stored = (
        (name, dims, full if is_full_precision(name, dims) else wide)
        for name, dims in layout(card.hyperparameters(), tied=card.tied)
    )
    return tuple(
        Tensor(name=name, dims=dims, format=kind.name, bytes=kind.tensor_bytes(dims)) for name, dims, kind in stored
    )


def layout(meta: Metadata, *, tied: bool) -> tuple[TensorSpec, ...]:
    """Every tensor's name and dims (the row first); ``tied`` leaves out the output matrix.

    Raises:
        UnknownArchitecture: no architecture file describes it; the hint names the nearest.
        Malformed: the header contradicts itself.
    """
    tensors = _architecture(meta).tensors(meta)
    return tuple(tensor for tensor in tensors if not (tied and tensor[0] == "output.weight"))


def is_full_precision(name: str, dims: tuple[int, ...]) -> bool:
    """Whether a conversion leaves a tensor in F32, whatever its file type."""
    vector = all(size == 1 for size in dims[1:])  # however many dimensions of one it is declared with
    return vector or not name.endswith(".weight") or _FULL_PRECISION.fullmatch(name) is not None


def _architecture(meta: Metadata) -> Architecture:
    if meta.architecture not in ARCHITECTURES:
        raise unknown_architecture(meta.architecture, file=meta.file)
    return ARCHITECTURES.get(meta.architecture)


# tables of the rotary embedding, which a conversion computes: nobody trained them, and no count of parameters has them
_COMPUTED = ("rope_freqs.", "rope_factors_")
# a row for every token and all layers, of which a token reads its own: Gemma 3n and 4 are named by what is left
_PER_LAYER = "per_layer_token_embd.weight"


class _Sized(Protocol):
    """A tensor by name and size, in whatever format."""

    @property
    def name(self) -> str:
        """llama.cpp's name of it."""
        ...

    @property
    def dims(self) -> tuple[int, ...]:
        """The row first."""
        ...

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        ...


def inactive_elements(tensor: _Sized, layers: Sequence[Layer]) -> int:
    """Numbers of this tensor that one token does not pass through: experts not chosen, heads, rows of other tokens."""
    if tensor.name == _PER_LAYER:
        return tensor.elements - tensor.dims[0]
    match = _BLOCK.match(tensor.name)
    if match is None or int(match.group(1)) >= len(layers):
        return 0
    layer = layers[int(match.group(1))]
    if layer.next_token:
        return tensor.elements
    if "_exps." not in tensor.name or not layer.experts:
        return 0
    # the last dimension counts the experts, so this divides evenly in any file the engine loads
    return tensor.elements * (layer.experts - layer.experts_active) // layer.experts


def _vocabulary(meta: Metadata, tensors: Iterable[Tensor], given: int | None) -> int:
    for tensor in tensors:
        if tensor.name == "token_embd.weight" and len(tensor.dims) > 1:
            return tensor.dims[1]
    return given if given is not None else meta.vocabulary_tokens()


def _dimensions(meta: Metadata) -> dict[str, int]:
    prefix = f"{meta.architecture}."
    return {
        key.removeprefix(prefix): value
        for key, value in meta.values.items()
        if key.startswith(prefix) and isinstance(value, int) and not isinstance(value, bool)
    }


def _file_type(meta: Metadata) -> int | None:
    value = meta.values.get("general.file_type")
    return value if isinstance(value, int) and not isinstance(value, bool) else None
