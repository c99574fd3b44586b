"""A model for speech by its name: by its config where it has one, else as one file of a known size."""

from __future__ import annotations

import msgspec

from memfit.errors import UnknownArchitecture
from memfit.model.shape import ModelShape, Tensor
from memfit.model.sources._source import Source
from memfit.model.speech import SPEECH, Speech


def _takes(name: str) -> bool:
    return name in SPEECH


def _shape(name: str, format: str | None, known_only: bool) -> ModelShape:
    model = SPEECH.get(name)
    if format is not None:
        raise UnknownArchitecture(
            f"llama.cpp runs no models for speech, so there is no {format} of {model.name}",
            hint=f"--engine {model.engine} sizes it; without --format as it is published",
        )
    return _network(model) if model.config is None else _by_config(model)


def _by_config(model: Speech) -> ModelShape:
    from memfit.model.configs._section import Section
    from memfit.model.folder import checkpoint_shape, read_checkpoint

    checkpoint = read_checkpoint(Section(model.config or {}, file=model.name))
    dtype = "F16" if model.format == "F16" else "F32"
    return checkpoint_shape(msgspec.structs.replace(checkpoint, name=model.name, dtype=dtype))


def _network(model: Speech) -> ModelShape:
    """A network of which the file alone is known: all its numbers in one piece, and no layers."""
    size = model.file_bytes or model.weights_bytes(32)
    return ModelShape(
        architecture="network",
        name=model.name,
        kind="speech",
        parameters=model.parameters,
        parameters_active=model.parameters,
        embedding_length=0,
        vocabulary_tokens=0,
        context_trained_tokens=0,
        memory="none",
        tensors=(Tensor("network", (model.parameters,), model.format, size),),
    )


SOURCE = Source(summary="name of a model for speech, whisper-small", place=40, takes=_takes, shape=_shape)
