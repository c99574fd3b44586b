"""The digest of a setting: two deployments of one digest take the same memory on one machine with one engine."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from memfit.engine._engine import Models
from memfit.engine.records import Options, Profile
from memfit.model.shape import ModelShape

_DIGITS = 24  # of sha256, in hexadecimal


def shape_digest(models: Models | ModelShape) -> str:
    """Of all models that a deployment runs: layers, tensors with formats and places, vocabulary; no name, no path."""
    if isinstance(models, ModelShape):
        models = Models(model=models)
    shapes = (models.model, models.draft, models.projector, *models.adapters)
    return _digest([None if shape is None else _facts(shape) for shape in shapes])


def setting_digest(models: Models | ModelShape, options: Options, profile: Profile, *, threads: int) -> str:
    """Of the models and of everything they run with.

    Args:
        models: all that the deployment names, in the formats they run in.
        options: the engine's; what they leave to the model or the machine is filled in.
        profile: whose process it is.
        threads: of the machine, where the options do not say.
    """
    model = models if isinstance(models, ModelShape) else models.model
    resolved = msgspec.structs.replace(
        options,
        context_tokens=options.context_tokens or model.context_trained_tokens,
        threads=options.threads or threads,
    )
    defaults = Options()
    # only what differs, so that an option that a later memfit knows does not make every setting another one
    stated = {
        field: value
        for field in Options.__struct_fields__
        if (value := getattr(resolved, field)) != getattr(defaults, field)
    }
    return _digest([shape_digest(models), sorted(stated.items()), profile])


def _facts(shape: ModelShape) -> list[Any]:
    return [
        shape.architecture,
        shape.embedding_length,
        shape.vocabulary_tokens,
        shape.tied_embeddings,
        shape.tokenizer,
        [msgspec.to_builtins(layer) for layer in shape.layers],
        [msgspec.to_builtins(tower) for tower in shape.towers],
        sorted(shape.dimensions.items()),
        # where a tensor lies decides which range of the file stays mapped
        shape.tensors,
    ]


def _digest(facts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:_DIGITS]
