"""What a fabricated file is to hold: metadata, vocabulary and tensors of a card, or of a file's header."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import msgspec

from memfit.errors import ModelError, UsageError
from memfit.model._build import card_shape, mixed, quantized
from memfit.model._fabricate.shorten import Shortening, fewest_layers
from memfit.model._fabricate.vocabulary import vocabulary as made_up_vocabulary
from memfit.model.cards import CARDS, Card
from memfit.model.find import find_model
from memfit.model.gguf import Header, read_shards
from memfit.model.gguf.writer import Copied, Writable, stub_metadata
from memfit.model.read import read_shape
from memfit.model.shape import ModelShape, Tensor, Tokenizer
from memfit.precision.mixture import Choice
from memfit.precision.presets import PRESETS

VocabularyChoice = Literal["real", "none"]

_QUANTIZATION_VERSION = 2  # GGML_QNT_VERSION, ggml/include/ggml.h (0c1e57098)


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a file but its numbers.

    Attributes:
        name: of the model; says so where layers were left out.
        sources: the files whose header it follows, none for a card.
        format: the preset, None where a file's own formats stay.
        layers, layers_whole: of the trunk, and those of the whole model; 0 where the header does not tell.
        tokenizer: what the vocabulary takes, None without one.
    """

    name: str
    architecture: str
    sources: tuple[Path, ...]
    format: str | None
    alignment: int
    metadata: dict[str, Writable]
    tensors: tuple[Tensor, ...]
    fallbacks: tuple[Choice, ...]
    layers: int
    layers_whole: int
    tokenizer: Tokenizer | None


def draw(model: str, *, format: str | None, vocabulary: VocabularyChoice, layers: int | None, seed: int) -> Blueprint:
    """The blueprint of a model named by a card or a GGUF file.

    Raises:
        UnknownName: no such card, file or preset.
        UsageError: the engine cannot quantize this model to that preset, or it has not so many layers.
        ModelError: a file that cannot be read.
    """
    if model in CARDS and not Path(model).exists():
        found = _of_card(CARDS.get(model), format or "Q4_K_M", vocabulary, layers, seed)
    else:
        find_model(model, known_only=False)  # names the nearest card, and what is wrong with a file
        found = _of_file(model, format, vocabulary, layers)
    name = found.name if found.layers == found.layers_whole else _shortened_name(found)
    words = f"random weights made by memfit fabricate, seed {seed}: a model's size without its sense"
    metadata = {**found.metadata, "general.name": name, "general.description": words}
    return msgspec.structs.replace(found, name=name, metadata=metadata)


def _shortened_name(found: Blueprint) -> str:
    return f"{found.name}, {found.layers} of {found.layers_whole} layers"


def _of_card(card: Card, preset: str, vocabulary: VocabularyChoice, layers: int | None, seed: int) -> Blueprint:
    whole = card_shape(card, preset)
    if layers is not None:
        _check_fewest(whole, layers)
        changed = Shortening(card.header(), card.architecture, layers).metadata()
        prefix = f"{card.architecture}."
        short = {key.removeprefix(prefix): value for key, value in changed.items()}
        card = dataclasses.replace(card, metadata={**card.metadata, **short})
    try:
        shape = card_shape(card, preset)
    except ModelError as error:
        hint = "the engine tells variants of it apart by their number of layers, or needs more of them"
        raise UsageError(f"{card.name} cannot be cut to {layers} layers: {error.message}", hint=hint) from error
    metadata: dict[str, Writable] = {
        **card.header(),
        "general.file_type": PRESETS.get(preset).file_type,
        "general.quantization_version": _QUANTIZATION_VERSION,
    }
    tokenizer = None
    if vocabulary == "real":
        made = made_up_vocabulary(card.tokenizer, shape.vocabulary_tokens, card.architecture, seed=seed)
        metadata |= made.metadata
        tokenizer = made.tokenizer
    else:
        metadata["tokenizer.ggml.model"] = "no_vocab"
    return Blueprint(
        name=card.name,
        architecture=card.architecture,
        sources=(),
        format=PRESETS.get(preset).name,
        alignment=32,
        metadata=metadata,
        tensors=shape.tensors,
        fallbacks=mixed(card_shape(card), preset).fallbacks,
        layers=len(shape.trunk),
        layers_whole=len(whole.trunk),
        tokenizer=tokenizer,
    )


def _of_file(model: str, format: str | None, vocabulary: VocabularyChoice, layers: int | None) -> Blueprint:
    header, shape = read_shards(model), read_shape(model, known_only=False)
    metadata = _kept(header) if vocabulary == "real" else stub_metadata(header)
    whole = trunk = len(shape.trunk)
    if layers is not None:
        _check_fewest(shape, layers)
        cut = Shortening(header.metadata, header.architecture, layers)
        metadata |= cut.metadata()
        shape = _cut(shape, cut)
        whole, trunk = cut.trunk, layers
    fallbacks: tuple[Choice, ...] = ()
    if format is not None:
        fallbacks = mixed(shape, format).fallbacks
        shape = msgspec.structs.replace(shape, tensors=quantized(shape, format))
        metadata["general.file_type"] = PRESETS.get(format).file_type
        metadata["general.quantization_version"] = _QUANTIZATION_VERSION
    return Blueprint(
        name=shape.name,
        architecture=shape.architecture,
        sources=tuple(Path(shard.path) for shard in header.shards),
        format=None if format is None else PRESETS.get(format).name,
        alignment=header.alignment,
        metadata=metadata,
        tensors=shape.tensors,
        fallbacks=fallbacks,
        layers=trunk,
        layers_whole=whole,
        tokenizer=shape.tokenizer if vocabulary == "real" else None,
    )


def _check_fewest(shape: ModelShape, layers: int) -> None:
    fewest = fewest_layers(shape)
    if layers < fewest:
        raise UsageError(
            f"--layers {layers}: the engine cannot run {shape.name} without both its kinds of layers",
            hint=f"the first {fewest} have one of each",
        )


def _kept(header: Header) -> dict[str, Writable]:
    return {
        key: Copied(header.path, span.offset, span.bytes)
        for key, span in header.spans.items()
        if not key.startswith("split.")
    }


def _cut(shape: ModelShape, cut: Shortening) -> ModelShape:
    kept = (*shape.layers[: cut.layers], *shape.layers[cut.trunk :])
    return msgspec.structs.replace(shape, layers=kept, tensors=tuple(cut.tensors(shape.tensors)))
