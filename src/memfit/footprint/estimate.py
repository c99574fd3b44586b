"""From names to a footprint: the one function behind ``memfit estimate``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Union

import msgspec

from memfit.device import Device, find_device
from memfit.engine._engine import Engine, Models, Origin
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError, NotSized, UnknownArchitecture, UnknownName, UsageError
from memfit.footprint import calibration_file
from memfit.footprint.calibration import Calibration
from memfit.footprint.kinds import check_kind
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.footprint.relax import relax
from memfit.footprint.unsized import on_boards
from memfit.model import ModelShape, find_card, find_model, in_preset, read_shape
from memfit.model.adapters import pairs
from memfit.model.cards import CARDS
from memfit.model.gguf import read_shards
from memfit.model.schemes import in_scheme
from memfit.model.sources.well_known import USUAL_PRESET
from memfit.model.speech import SPEECH
from memfit.model.unknown import unknown_architecture
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES, Scheme

# "auto" takes this machine's own and corrects nothing else; a file; a record; None takes none
Calibrating = Union[Calibration, "os.PathLike[str]", str, None]


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
    calibration: Calibrating = "auto",
) -> Footprint:
    """What a model takes on a device.

    Args:
        model: a GGUF file, or the name of a well-known model (``Llama-3.2-3B``).
        device: from ``memfit.device.find_device``; this machine where None.
        options: the engine's options; the profile's defaults where None.
        profile: defaults and runtime of the engine's ``library`` or ``server``.
        source: whom to ask, see ``memfit.footprint.predict``.
        format: size the weights in this preset instead, or in this scheme on an engine that reads checkpoints (a file's
            own formats where None).
        draft: a draft model for speculative decoding, a file or a name.
        projector: an ``mmproj`` file.
        adapters: LoRA files.
        engine: key of ``engine.runtimes``.
        relief: also price what would make it smaller.
        calibration: ``auto``: corrected by what runs on this machine showed (``memfit verify``), where it is the device
            and the engine is the one that ran; a file or a record of such runs; None: not at all.

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
    return estimate_deployment(
        deployment, device=device, profile=profile, source=source, relief=relief, calibration=calibration
    )


def estimate_deployment(
    deployment: Deployment,
    *,
    device: Device | None = None,
    profile: Profile = "library",
    source: Asked = "auto",
    relief: bool = True,
    calibration: Calibrating = "auto",
) -> Footprint:
    """The same for a deployment that is already a record, such as one read from a command line."""
    device = device or find_device()
    models = find_models(deployment, source=source)
    footprint = predict(device, models, deployment, profile=profile, source=source)
    footprint = _corrected(footprint, models, calibration)
    footprint = _without_sight(footprint, deployment, models)
    if not models.model.layers:
        return _uncompared(footprint) if source == "both" else footprint
    if not relief:
        return footprint
    changes = relax(device, models, deployment, profile=profile, reformat=_reformat, shown=footprint)
    return msgspec.structs.replace(footprint, relief=changes)


def _without_sight(footprint: Footprint, deployment: Deployment, models: Models) -> Footprint:
    """Of a card the text half is sized; whoever wants pictures must know what is missing."""
    seeing = deployment.model in CARDS and "vision" in CARDS.get(deployment.model).uses
    if not seeing or models.projector is not None or models.model.towers:
        return footprint
    how = "add it with --mmproj" if ENGINES.get(deployment.engine).reads == "gguf" else "size the checkpoint's folder"
    word = f"the encoder of pictures is not in this figure: {how}"
    return msgspec.structs.replace(footprint, warnings=(*footprint.warnings, word))


def _corrected(footprint: Footprint, models: Models, calibration: Calibrating) -> Footprint:
    """What runs taught; where nothing ever ran here, a look for a folder is all that it costs."""
    if calibration is None or (calibration == "auto" and not calibration_file.folder().is_dir()):
        return footprint
    from memfit.footprint.correct import corrected

    return corrected(footprint, models, calibration)


def find_models(deployment: Deployment, *, source: Asked = "auto") -> Models:
    """The shapes of every model that a deployment names.

    Raises:
        ModelError, UnknownName: one of them cannot be used, is not known, or is a file for another place.
        UnknownArchitecture: with ``formula``, or of the draft.
    """
    shape, origin = _find_sized(deployment, known_only=source == "formula")
    draft, draft_origin = _draft(deployment.draft) if deployment.draft is not None else (None, Origin())
    return Models(
        model=shape,
        draft=draft,
        projector=_beside(deployment.projector, "mmproj") if deployment.projector is not None else None,
        adapters=tuple(_adapter(adapter, shape) for adapter in deployment.adapters),
        origin=origin,
        draft_origin=draft_origin,
    )


def _find_sized(deployment: Deployment, *, known_only: bool) -> tuple[ModelShape, Origin]:
    """The model in the format that was asked for: a preset of GGUF, or a scheme where the engine reads checkpoints."""
    engine = ENGINES.get(deployment.engine)
    scheme = scheme_of(deployment.format, engine)
    if scheme is None:
        converts = engine.reads == "gguf"
        return _find(deployment.model, deployment.format, place="model", known_only=known_only, converts=converts)
    # a file and a folder have formats of their own; a card and a config have none
    named = deployment.model in CARDS or (
        deployment.model in SPEECH and SPEECH.get(deployment.model).config is not None
    )
    own = deployment.format is None and not named
    given = None if own or deployment.model in SPEECH else "F16"
    shape, origin = _find(deployment.model, given, place="model", known_only=known_only, converts=False)
    return (shape, origin) if own else (in_scheme(shape, scheme), origin if shape.shards else Origin())


def scheme_of(format: str | None, engine: Engine) -> Scheme | None:
    """The scheme that a format means on this engine, None where it is a preset of GGUF.

    Raises:
        UnknownName: neither a scheme nor a preset; the hint names the nearest of what the engine reads.
    """
    name = format or engine.default_format
    if engine.reads == "gguf":
        if name not in PRESETS and name in SCHEMES:
            raise UsageError(
                f"{engine.name} reads GGUF files, and {SCHEMES.get(name).name} is a format of checkpoints",
                hint="give a preset such as Q4_K_M (memfit list presets), or another --engine",
            )
        return None
    if name in SCHEMES:
        return SCHEMES.get(name)
    if name in PRESETS:
        return None
    raise UnknownName("format", name, (*SCHEMES.keys(), *PRESETS.keys()))


def _uncompared(footprint: Footprint) -> Footprint:
    nothing = (
        f"nothing was compared: memfit has no formula for the architecture {footprint.model.architecture!r},"
        " and the engine's figures stand alone"
    )
    return msgspec.structs.replace(footprint, warnings=(nothing, *footprint.warnings))


def _draft(name: str) -> tuple[ModelShape, Origin]:
    shape, origin = _find(name, None, place="draft", known_only=False)
    if not shape.layers:
        so, hint = ", and a draft is computed by formula", "leave out --draft, or take another draft model"
        raise unknown_architecture(shape.architecture, file=origin.path, so=so, hint=hint)
    return shape, origin


def _beside(path: str, place: str) -> ModelShape:
    shape = read_shape(path, known_only=False)
    check_kind(shape, path, place)
    return shape


def _adapter(path: str, model: ModelShape) -> ModelShape:
    """A LoRA adapter that the engine would put on ``model``: ``llama_adapter_lora_init_impl``, src/llama-adapter.cpp.

    Raises:
        ModelError: it was made for another model.
        Malformed: no whole adapter.
    """
    shape = _beside(path, "lora")
    hint = "give the adapter of this model, or its own base model as MODEL"
    if shape.architecture != model.architecture:
        raise ModelError(
            f"is for a model of architecture {shape.architecture!r}, and this one is {model.architecture!r}",
            file=path,
            hint=hint,
        )
    tensors = {tensor.name for tensor in model.tensors}
    strange = [pair.target for pair in pairs(shape.tensors, file=path) if pair.target not in tensors]
    if strange:
        raise ModelError(f"changes {strange[0]!r}, which the model does not have", file=path, hint=hint)
    return shape


def _find(
    name: str, format: str | None, *, place: str, known_only: bool, converts: bool = True
) -> tuple[ModelShape, Origin]:
    """``converts``: the engine takes GGUF files alone, so a folder is sized as its conversion would be."""
    try:
        card = find_card(name)
        if card is not None and converts:
            format = format or USUAL_PRESET
        shape = find_model(name, format=format, known_only=known_only)
    except NotSized as known:
        raise on_boards(known) from None
    check_kind(shape, name, place)
    if card is not None:
        return shape, Origin(header=card.header())
    path = shape.shards[0].path if shape.shards else None
    if path is None or path.endswith(".safetensors"):
        if converts:
            raise _without_gguf(shape, name)
        return shape, Origin()
    if not shape.tensors:
        raise ModelError("holds a vocabulary and no weights", file=path, hint="give the file of the model itself")
    if format is not None:
        return in_preset(shape, format), Origin(header=read_shards(path).metadata)
    return shape, Origin(path=path)


def _without_gguf(shape: ModelShape, name: str) -> UnknownArchitecture:
    if shape.kind == "speech":
        engine = "onnxruntime" if not shape.layers else "ctranslate2"
        return UnknownArchitecture(f"llama.cpp runs no models for speech, such as {name}", hint=f"--engine {engine}")
    return UnknownArchitecture(
        f"llama.cpp runs no {shape.architecture!r} with these sizes, so there is no GGUF file of it to size",
        file=name,
        hint="size it for another engine",
    )


def _reformat(models: Models, name: str, engine: str) -> Models | None:
    scheme = scheme_of(name, ENGINES.get(engine))
    smaller = in_preset(models.model, name) if scheme is None else in_scheme(models.model, scheme)
    if smaller.weights_bytes >= models.model.weights_bytes:
        return None
    return replace(models, model=smaller, origin=Origin())
