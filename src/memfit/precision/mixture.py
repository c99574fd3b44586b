"""The formats that llama.cpp's quantizer gives each tensor of a model under a preset, and what they take.

The same decisions as llama.cpp src/llama-quant.cpp, ``llama_tensor_get_type`` (0c1e57098); the tests compare them with
the engine's own, tensor by tensor.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from memfit.errors import UsageError
from memfit.precision._format import Format
from memfit.precision._preset import Part, Place, Preset
from memfit.precision._tensors import block_of, engine_order, is_quantized, keeps_eight_bits, part_of
from memfit.precision.formats import FORMATS
from memfit.precision.presets import PRESETS

Source = tuple[str, tuple[int, ...], str]

_FEED_FORWARD = ("ffn_up", "ffn_gate", "ffn_down")

# layers of the models that the engine calls 70B (LLM_TYPE_70B, llama.cpp src/models/*.cpp, 0c1e57098)
_LAYERS_OF_70B = {"llama": 80, "llama-embed": 80, "qwen2": 80, "deci": 80, "olmo": 80, "jais2": 68}

_format = functools.cache(FORMATS.get)  # asked for once a tensor, and a large model has thousands


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What one tensor becomes.

    Attributes:
        name, dims: of the tensor, the row first.
        before: its format in the source.
        format: its format in the result; the same where the quantizer keeps it.
        wanted: the format that the preset asked for where rows do not divide into its blocks and the engine falls back
            to another; None otherwise. The engine only logs this, and the file grows in silence.
        needs_imatrix: the engine refuses to write it without an importance matrix.
        bytes: of the tensor in the result, without padding.
    """

    name: str
    dims: tuple[int, ...]
    before: str
    format: str
    wanted: str | None = None
    needs_imatrix: bool = False
    bytes: int


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """A model under a preset: one choice for each tensor, in the engine's order."""

    preset: str
    choices: tuple[Choice, ...]

    @property
    def formats(self) -> dict[str, str]:
        """The format of each tensor by name."""
        return {choice.name: choice.format for choice in self.choices}

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors, without the padding between them."""
        return sum(choice.bytes for choice in self.choices)

    @property
    def fallbacks(self) -> tuple[Choice, ...]:
        """The tensors that did not get the format the preset asked for."""
        return tuple(choice for choice in self.choices if choice.wanted is not None)

    @property
    def needs_imatrix(self) -> bool:
        """Whether the engine refuses this preset for this model without an importance matrix."""
        return any(choice.needs_imatrix for choice in self.choices)


class _Model(msgspec.Struct, frozen=True, kw_only=True):
    architecture: str
    layers: int
    sharing: int
    experts: int
    is_70b: bool
    tied_embeddings: bool
    values: int


class _Wishes(msgspec.Struct, frozen=True, kw_only=True):
    imatrix: bool
    pure: bool
    output: Format | None
    embedding: Format | None
    overrides: tuple[tuple[re.Pattern[str], Format], ...]


def mix(
    preset: str | Preset,
    architecture: str,
    tensors: Iterable[Source],
    *,
    layers: int,
    heads: int,
    kv_heads: int,
    experts: int = 0,
    has_imatrix: bool = False,
    pure: bool = False,
    keep_output: bool = False,
    output_format: str | None = None,
    embedding_format: str | None = None,
    overrides: Sequence[tuple[str, str]] = (),
) -> Mix:
    """The format of every tensor when llama.cpp quantizes a model.

    Args:
        preset: a name such as ``Q4_K_M``.
        architecture: ``general.architecture`` of the file.
        tensors: name, dims (the row first) and present format of every tensor. Embeddings count as the output matrix
            where there is no ``output.weight``.
        layers: ``block_count``; for Nanbeige times its loops, which the engine counts as layers.
        heads: query heads of the first layer, 0 without attention.
        kv_heads: key/value heads of the first layer, 0 without attention.
        experts: ``expert_count``.
        has_imatrix: an importance matrix is given (``--imatrix``), which changes some choices.
        pure: one format throughout (``--pure``).
        keep_output: leave the output matrix as it is (``--leave-output-tensor``).
        output_format: of the output matrix, whatever the preset (``--output-tensor-type``).
        embedding_format: of the token embeddings, whatever the preset (``--token-embedding-type``).
        overrides: regular expression and format, the first that is found in a name wins (``--tensor-type``). Only
            presets of quantized formats heed them.

    Raises:
        UnknownName: no such preset or format.
        UsageError: the engine has no recipe for this preset, would refuse this model under it, or a pattern is none.
    """
    chosen = preset if isinstance(preset, Preset) else PRESETS.get(preset)
    if not chosen.recipe:
        raise UsageError(
            f"llama.cpp's quantizer has no recipe for {chosen.name}",
            hint="such files come from converters of published checkpoints",
        )
    ordered = sorted(tensors, key=lambda tensor: engine_order(tensor[0]))
    parts = [part_of(name) for name, _, _ in ordered]
    model = _Model(
        architecture=architecture,
        layers=layers,
        sharing=heads // kv_heads if kv_heads else 0,
        experts=experts,
        is_70b=_is_70b(architecture, layers, heads, kv_heads, experts),
        tied_embeddings="output" not in parts,
        values=parts.count("attention_v"),
    )
    wishes = _Wishes(
        imatrix=has_imatrix,
        pure=pure,
        output=_format(output_format) if output_format else None,
        embedding=_format(embedding_format) if embedding_format else None,
        overrides=tuple((_pattern(pattern), _format(name)) for pattern, name in overrides),
    )
    chooser = _Chooser(chosen, model, wishes)
    return Mix(
        preset=chosen.name,
        choices=tuple(
            _kept(tensor)
            if not is_quantized(tensor[0], tensor[1], architecture) or (keep_output and part == "output")
            else chooser.choose(tensor, part)
            for tensor, part in zip(ordered, parts, strict=True)
        ),
    )


class _Chooser:
    """Walks the tensors in the engine's order, because some choices depend on how many came before."""

    def __init__(self, preset: Preset, model: _Model, wishes: _Wishes) -> None:
        self._preset = preset
        self._model = model
        self._wishes = wishes
        self._base = _format(preset.base)
        self._seen: Counter[Part] = Counter()

    def choose(self, tensor: Source, part: Part) -> Choice:
        """The format of one tensor that the quantizer may change."""
        name, dims, before = tensor
        named = self._named(name)
        wanted: Format | None = None
        if part == "embedding" and self._wishes.embedding and not (name.startswith("per_layer") and named):
            format = self._wishes.embedding
        elif part == "output" and self._wishes.output:
            format = self._wishes.output
        elif not self._base.quantized:
            format = self._base
        else:
            wanted = named or (self._base if self._wishes.pure else self._mixed(name, dims, part))
            format = _fitting(wanted, name, dims[0])
        return Choice(
            name=name,
            dims=dims,
            before=_format(before).name,
            format=format.name,
            wanted=None if wanted is None or wanted is format else wanted.name,
            needs_imatrix=part not in ("output", "embedding")
            and (format.needs_imatrix or format.name in self._preset.imatrix_formats),
            bytes=format.tensor_bytes(dims),
        )

    def _named(self, name: str) -> Format | None:
        return next((format for pattern, format in self._wishes.overrides if pattern.search(name)), None)

    def _mixed(self, name: str, dims: tuple[int, ...], part: Part) -> Format:
        if keeps_eight_bits(name, self._model.architecture):
            return _format("Q8_0")
        if part == "output" or (part == "embedding" and self._model.tied_embeddings):
            return self._wishes.output or self._output(dims[0])
        if part == "embedding" and self._preset.embedding:
            return _format(self._preset.embedding)
        place = self._place(name, dims, part)
        self._seen[part] += 1
        format = self._preset.format_at(place)
        return _format(_corrected(format, place, self._model) if self._preset.corrected else format)

    def _output(self, row: int) -> Format:
        # no fallback here: for Falcon, and for rows that the base does not divide, the engine starts from Q8_0
        if self._model.architecture == "falcon" or row % self._base.block_elements:
            return _format("Q8_0")
        return _format(self._preset.output)

    def _place(self, name: str, dims: tuple[int, ...], part: Part) -> Place:
        model = self._model
        by_name = model.experts > 1 and part in _FEED_FORWARD and self._preset.corrected
        stacked = len(dims) > 2 and dims[2] > 1
        if model.architecture == "bailingmoe3":  # its latent attention is stacked too, and not meant
            stacked = stacked and part in _FEED_FORWARD
        return Place(
            part=part,
            stacked=stacked,
            nth=self._seen[part],
            index=_layer_in(name, model.layers) if by_name else self._seen[part],
            count=model.values if part == "attention_v" else model.layers,
            sharing=model.sharing,
            experts=model.experts,
            falcon=model.architecture == "falcon",
            imatrix=self._wishes.imatrix,
        )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"not a regular expression: {text!r}: {error}", hint="write it like attn_v or ^output$"
        ) from error


def _kept(tensor: Source) -> Choice:
    name, dims, before = tensor
    format = _format(before)
    return Choice(name=name, dims=dims, before=format.name, format=format.name, bytes=format.tensor_bytes(dims))


def _corrected(format: str, place: Place, model: _Model) -> str:
    """What the engine changes after the preset's own choice, for models whose keys and values are small."""
    if place.part in ("attention_v", "attention_k") and place.eight_experts:
        return "Q8_0"
    if place.part == "attention_v" and model.is_70b and format in ("Q3_K", "Q4_K"):
        return "Q5_K"
    return format


def _fitting(wanted: Format, name: str, row: int) -> Format:
    """The wanted format, or what the engine falls back to for a row that its blocks do not divide."""
    if row % wanted.block_elements == 0:
        return wanted
    if wanted.fallback is None and wanted.block_elements > 32:
        raise UsageError(
            f"{name}: a row of {row} numbers is not a whole number of {wanted.name} blocks of {wanted.block_elements}",
            hint=f"llama.cpp knows no replacement for {wanted.name} and refuses; choose another preset",
        )
    second = _format(wanted.fallback or wanted.name)
    return second if row % second.block_elements == 0 else _format("F16")


def _layer_in(name: str, layers: int) -> int:
    # experts do not follow each other in all files, so the engine reads the layer from the name
    block = block_of(name)
    if block is None or not 0 <= block < layers:
        raise UsageError(
            f"{name} belongs to none of the model's {layers} layers",
            hint="llama.cpp refuses to quantize such a mixture of experts",
        )
    return block


def _is_70b(architecture: str, layers: int, heads: int, kv_heads: int, experts: int) -> bool:
    if _LAYERS_OF_70B.get(architecture) != layers:
        return False
    return not architecture.startswith("llama") or (experts != 8 and heads != kv_heads)
