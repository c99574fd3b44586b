"""From a device and a deployment to a footprint."""

from __future__ import annotations

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models
from memfit.engine.records import Asked, Deployment, Profile, Term
from memfit.engine.runtimes import ENGINES
from memfit.footprint.records import Footprint, ModelSummary
from memfit.footprint.verdict import judge, total
from memfit.model.shape import ModelShape
from memfit.precision.presets import PRESETS, preset_of
from memfit.precision.schemes import SCHEMES


def predict(
    device: Device,
    models: Models | ModelShape,
    deployment: Deployment,
    *,
    profile: Profile = "library",
    source: Asked = "auto",
) -> Footprint:
    """What ``deployment`` takes on ``device``, term by term, and whether it fits.

    Args:
        device: from ``memfit.device.find_device``.
        models: the shape of the model, or of the model and all that runs beside it.
        deployment: the engine and its options.
        profile: whose runtime baseline counts: the library's or the server's.
        source: ``auto`` asks the engine where it is installed, ``engine`` insists, ``formula`` never asks, ``both``
            compares like with like and raises on disagreement.

    Raises:
        UsageError: options that the engine refuses.
        EngineMissing, EngineFailed: the engine was to be asked and did not answer.
        Disagreement: formula and engine differ, with ``both``.
    """
    if isinstance(models, ModelShape):
        models = Models(model=models)
    ledger = ENGINES.get(deployment.engine).ledger(models, deployment, device, profile, source)
    return footprint_of(ledger, models.model, deployment, device, profile=profile)


def footprint_of(
    ledger: Ledger, shape: ModelShape, deployment: Deployment, device: Device, *, profile: Profile = "library"
) -> Footprint:
    """Sum up a ledger and judge it against the device."""
    if deployment.format is not None:
        deployment = msgspec.structs.replace(deployment, format=spelled(deployment.format, deployment.engine))
    terms = ledger.terms + _system(device)
    totals = total(terms)
    return Footprint(
        model=summary(shape, deployment.format, deployment.engine),
        deployment=deployment,
        device=device,
        terms=terms,
        low_bytes=totals.low_bytes,
        likely_bytes=totals.likely_bytes,
        high_bytes=totals.high_bytes,
        evictable_bytes=totals.evictable_bytes,
        working_set_bytes=totals.working_set_bytes,
        required_bytes=totals.required_bytes,
        capacity_bytes=device.capacity_bytes,
        headroom_bytes=device.capacity_bytes - totals.required_bytes,
        verdict=judge(totals, device.capacity_bytes),
        engine=ledger.engine,
        profile=profile,
        warnings=ledger.warnings,
        compared=ledger.compared,
    )


def summary(shape: ModelShape, format_name: str | None, engine: str) -> ModelSummary:
    """The head line of a model; its format is the one that holds most of its bytes, or as asked for."""
    format_name = _format_name(shape, engine) if format_name is None else spelled(format_name, engine)
    return ModelSummary(
        name=shape.name,
        architecture=shape.architecture,
        parameters=shape.parameters,
        parameters_active=shape.parameters_active,
        layers=len(shape.trunk),
        weights_bytes=shape.weights_bytes,
        format=format_name,
        context_trained_tokens=shape.context_trained_tokens,
    )


def spelled(format: str, engine: str) -> str:
    """A format as every record has it, however it was written: a preset by its name, a scheme by its key.

    ``--format`` takes both. Names that presets and schemes have (``bf16``) mean what the engine reads.
    """
    if ENGINES.get(engine).reads == "gguf" and format in PRESETS:
        return PRESETS.get(format).name
    if format in SCHEMES:
        return SCHEMES.key(format)
    return PRESETS.get(format).name if format in PRESETS else format


def _format_name(shape: ModelShape, engine: str) -> str:
    """The preset that the file says it is in, or else the format that holds most of its bytes."""
    preset = preset_of(shape.file_type) if shape.file_type is not None else None
    if preset is not None:
        return preset.name
    held: dict[str, int] = {}
    for tensor in shape.tensors:
        held[tensor.format] = held.get(tensor.format, 0) + tensor.bytes
    most = max(held, key=held.__getitem__) if held else "unknown"
    return SCHEMES.key(most) if ENGINES.get(engine).reads == "checkpoints" and most in SCHEMES else most


def _system(device: Device) -> tuple[Term, ...]:
    """A board's ledger shows what its system takes; this machine's MemAvailable has it deducted already."""
    if device.grade == "stated" or not device.physical_bytes or not device.os_bytes:
        return ()
    return (
        Term(
            name="os",
            pool="system",
            low_bytes=device.os_bytes,
            likely_bytes=device.os_bytes,
            high_bytes=device.os_bytes,
            source="measured" if device.grade == "measured" else "stated",
            formula="MemTotal − MemAvailable of a stock system; deducted from the capacity, not part of the sums",
            error=device.source,
        ),
    )


def with_device(footprint: Footprint, device: Device) -> Footprint:
    """The same ledger judged against another capacity."""
    totals = total(footprint.terms)
    return msgspec.structs.replace(
        footprint,
        device=device,
        capacity_bytes=device.capacity_bytes,
        headroom_bytes=device.capacity_bytes - totals.required_bytes,
        verdict=judge(totals, device.capacity_bytes),
    )
