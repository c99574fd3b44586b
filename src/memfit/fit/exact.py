"""Rows that no table holds: files of this machine, machines without a shared GPU, and options of one's own.

Each is predicted as ``memfit estimate`` does it, so a few formats and contexts are looked at and not all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.records import Backend, Deployment, Options, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.errors import MemfitError, UnknownArchitecture, UnknownName, UsageError
from memfit.fit.records import Wish
from memfit.fit.sizes import PROGRAM, Sum, contexts_of, served
from memfit.footprint.estimate import find_models
from memfit.footprint.predict import predict, summary
from memfit.footprint.verdict import total
from memfit.speed.touched import Profile, profile

FORMATS_LOOKED_AT = ("Q8_0", "Q6_K", "Q4_K_M", "Q3_K_M")


@dataclass(frozen=True)
class Exact:
    """One model in one format on one engine, predicted.

    Attributes:
        as_stored: it has its format already, and no ``--format`` leads there.
        tokens: the context it is shown at.
        fitting_tokens: the largest that fits, 0 where none does.
        looked_at: contexts.
    """

    engine: str
    format: str
    as_stored: bool
    tokens: int
    fitting_tokens: int
    trained_tokens: int
    found: Sum
    weights_bytes: int
    parameters: int
    parameters_active: int
    profile: Profile
    looked_at: int


def backend_of(device: Device, engine: str) -> Backend:
    """The GPU where the device has one and the engine uses it."""
    return "cuda" if device.gpu and not ENGINES.get(engine).on_the_processor else "cpu"


def exact(
    name: str, device: Device, wish: Wish, engine: str, formats: Sequence[str | None], refused: list[MemfitError]
) -> Iterator[Exact]:
    """Every format of one model that the engine takes; None is the format that a file has.

    ``refused`` gets the reasons of those that it does not, and of a model that is none for this engine.

    Raises:
        ModelError, UnknownName: as ``memfit.estimate``.
    """
    for format in formats:
        try:
            models = find_models(Deployment(model=name, engine=engine, format=format), source="formula")
            yield exact_of(name, models, device, wish, engine, format)
        except UnknownName:
            raise
        except (UsageError, UnknownArchitecture) as reason:  # the engine, or its quantizer, does not take it
            refused.append(reason)


def exact_of(
    name: str,
    models: Models,
    device: Device,
    wish: Wish,
    engine: str,
    format: str | None,
    *,
    as_stored: bool | None = None,
) -> Exact:
    """One model whose shape is known, at the context that was asked for and at those that are looked at.

    Raises:
        UsageError: the engine does not take it.
        UnknownArchitecture: it is for models of another kind.
    """
    silent = models.model.memory == "none" and models.model.kind == "speech"
    trained = 0 if silent else models.model.context_trained_tokens or wish.context_tokens
    asked = min(wish.context_tokens, trained)
    grid = sorted({*contexts_of(trained), asked})
    known: dict[int, Sum] = {}

    def at(tokens: int) -> Sum:
        if tokens not in known:
            known[tokens] = _sum(name, models, device, wish, engine, format, tokens)
        return known[tokens]

    low, high = 0, len(grid)  # the first low contexts fit, those from high on do not
    while low < high:
        middle = (low + high) // 2
        if at(grid[middle]).required <= device.capacity_bytes:
            low = middle + 1
        else:
            high = middle
    fitting = grid[low - 1] if low else 0
    shown = asked if fitting >= asked or not fitting else fitting
    return Exact(
        engine=engine,
        format=summary(models.model, format, engine).format,
        as_stored=format is None if as_stored is None else as_stored,
        tokens=shown,
        fitting_tokens=fitting,
        trained_tokens=trained,
        found=at(shown),
        weights_bytes=models.model.weights_bytes,
        parameters=models.model.parameters,
        parameters_active=models.model.parameters_active,
        profile=profile(models.model),
        looked_at=len(known),
    )


def options_of(device: Device, wish: Wish, engine: str, tokens: int) -> Options:
    """The engine's options for a wish, each request with ``tokens`` of context."""
    options = msgspec.structs.replace(served(engine), backend=backend_of(device, engine))
    if wish.kv_type:
        options = msgspec.structs.replace(options, kv_type_k=wish.kv_type, kv_type_v=wish.kv_type)
    # llama.cpp shares its context among the slots; other engines give each request its own
    shared = tokens * wish.slots if engine == "llama_cpp" else tokens
    return with_slots(msgspec.structs.replace(options, context_tokens=shared), wish.slots)


def sum_at(name: str, device: Device, wish: Wish, engine: str, format: str, tokens: int) -> Sum:
    """A model of the catalog at one context, as ``memfit estimate`` says.

    Raises:
        UsageError: the engine does not take it.
    """
    models = find_models(Deployment(model=name, engine=engine, format=format), source="formula")
    return _sum(name, models, device, wish, engine, format, tokens)


def _sum(name: str, models: Models, device: Device, wish: Wish, engine: str, format: str | None, tokens: int) -> Sum:
    options = options_of(device, wish, engine, tokens)
    deployment = Deployment(model=name, engine=engine, format=format, options=options)
    totals = total(predict(device, models, deployment, profile=PROGRAM, source="formula").terms)
    return Sum(
        likely=totals.likely_bytes,
        high=totals.high_bytes,
        required=totals.required_bytes,
        kept=totals.unevictable_bytes,
    )
