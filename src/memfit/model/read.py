"""A model's shape from its name."""

from __future__ import annotations

import msgspec

from memfit.model._build import quantized
from memfit.model.cards import Card
from memfit.model.places import locate
from memfit.model.shape import ModelShape
from memfit.model.sources import SOURCES, Source
from memfit.model.unknown import without_card


def find_model(name: str, *, format: str | None = None, known_only: bool = True) -> ModelShape:
    """The shape of a model named by where it lies, or by a card (``Llama-3.2-3B``).

    Where it lies: the path of a GGUF file or of a Hugging Face folder, Ollama's store (``ollama:llama3.2:3b``), Hugging
    Face's hub (``hf://org/repo/file.gguf``) or any server (``https://host/model.gguf``); of a model on a server only
    headers are fetched.

    ``format`` is the preset that weights are sized in: of a card ``Q4_K_M`` where none is given, of a folder its own
    tensors. A GGUF file has its own always.

    Raises:
        ModelError: a file that cannot be used, or is not where it should be.
        UnknownName: neither a file nor a folder nor a card; the hint names the nearest cards.
        NotSized: a model that is known by its published size alone.
        UsageError: an empty name.
    """
    source, found = _source_of(name)
    return source.shape(found, format, known_only)


def find_card(name: str) -> Card | None:
    """The hyperparameters by which llama.cpp would convert a model named as for ``find_model``.

    None where it is a GGUF file already, or a folder of a model that llama.cpp cannot run.

    Raises:
        ModelError: a folder that cannot be used.
        UnknownName, NotSized: as ``find_model``.
    """
    source, found = _source_of(name)
    return source.card(found)


def _source_of(name: str) -> tuple[Source, str]:
    """What reads a name, and the name by which it does: where the model lies on this machine."""
    name = locate(name) or name
    for source in sorted(SOURCES, key=lambda source: source.place):
        if source.takes(name):
            return source, name
    raise without_card(name)


def in_preset(shape: ModelShape, preset: str) -> ModelShape:
    """The same model quantized to ``preset``, before anyone has made that file; no shards, no offsets.

    Raises:
        UnknownName: no such preset.
        UsageError: the engine cannot quantize this model to that preset.
    """
    return msgspec.structs.replace(shape, tensors=quantized(shape, preset), shards=(), file_type=None)
