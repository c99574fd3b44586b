"""From names to a footprint: the one function behind ``memfit estimate``."""

from __future__ import annotations

import os
from dataclasses import replace

import msgspec

from memfit.device import Device, find_device
from memfit.engine._engine import Models, Origin
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.footprint.relax import relax
from memfit.model import ModelShape, find_model, in_preset, read_shape
from memfit.model.cards import CARDS
from memfit.model.gguf import read_shards


def estimate(
    model: str | os.PathLike[str],
    *,
    device: Device | None = None,
    options: Options | None = None,
    profile: Profile = "library",
    source: Asked = "auto",
    format: str | None = None,
    draft: str | None = None,
    projector: str | None = None,
    adapters: tuple[str, ...] = (),
    engine: str = "llama_cpp",
    relief: bool = True,
) -> Footprint:
    """What a model takes on a device.

    Args:
        model: a GGUF file, or the name of a well-known model (``Llama-3.2-3B``).
        device: from ``memfit.device.find_device``; this machine where None.
        options: the engine's options; the profile's defaults where None.
        profile: defaults and runtime of the engine's ``library`` or ``server``.
        source: whom to ask, see ``memfit.footprint.predict``.
        format: size the weights in this preset instead (a file's own formats where None).
        draft: a draft model for speculative decoding, a file or a name.
        projector: an ``mmproj`` file.
        adapters: LoRA files.
        engine: key of ``engine.runtimes``.
        relief: also price what would make it smaller.

    Raises:
        MemfitError: see the tree in ``memfit.errors``; what failed is named with what to do.
    """
    runtime = ENGINES.get(engine)
    deployment = Deployment(
        model=os.fspath(model),
        engine=engine,
        options=options or runtime.profiles[profile],
        format=format,
        draft=draft,
        projector=projector,
        adapters=adapters,
    )
    return estimate_deployment(deployment, device=device, profile=profile, source=source, relief=relief)


def estimate_deployment(
    deployment: Deployment,
    *,
    device: Device | None = None,
    profile: Profile = "library",
    source: Asked = "auto",
    relief: bool = True,
) -> Footprint:
    """The same for a deployment that is already a record, such as one read from a command line."""
    device = device or find_device()
    models = find_models(deployment, source=source)
    footprint = predict(device, models, deployment, profile=profile, source=source)
    if not relief or not models.model.layers:
        return footprint
    changes = relax(device, models, deployment, profile=profile, reformat=_reformat, shown=footprint)
    return msgspec.structs.replace(footprint, relief=changes)


def find_models(deployment: Deployment, *, source: Asked = "auto") -> Models:
    """The shapes of every model that a deployment names.

    Raises:
        ModelError, UnknownName: one of them cannot be used or is not known.
    """
    shape, origin = _find(deployment.model, deployment.format, known_only=source == "formula")
    draft, draft_origin = _find(deployment.draft, None, known_only=True) if deployment.draft else (None, Origin())
    return Models(
        model=shape,
        draft=draft,
        projector=read_shape(deployment.projector) if deployment.projector else None,
        adapters=tuple(read_shape(adapter) for adapter in deployment.adapters),
        origin=origin,
        draft_origin=draft_origin,
    )


def _find(name: str, format: str | None, *, known_only: bool) -> tuple[ModelShape, Origin]:
    shape = find_model(name, format=format, known_only=known_only)
    if not shape.shards:
        return shape, Origin(header=CARDS.get(name).header())
    path = shape.shards[0].path
    if not shape.tensors:
        raise ModelError("holds a vocabulary and no weights", file=path, hint="give the file of the model itself")
    if format is not None:
        return in_preset(shape, format), Origin(header=read_shards(path).metadata)
    return shape, Origin(path=path)


def _reformat(models: Models, preset: str) -> Models | None:
    smaller = in_preset(models.model, preset)
    if smaller.weights_bytes >= models.model.weights_bytes:
        return None
    return replace(models, model=smaller, origin=Origin())
