"""The whole arithmetic of one row: where every byte and every millisecond comes from."""

from __future__ import annotations

import msgspec

from memfit.device.boards import BOARDS
from memfit.device.records import Device
from memfit.engine.records import Deployment
from memfit.errors import UsageError
from memfit.fit.exact import options_of
from memfit.fit.records import FitRow, Wish
from memfit.fit.search import fit
from memfit.footprint.estimate import find_models
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.model.shape import ModelShape
from memfit.model.speech import SPEECH
from memfit.speed.predict import Setting, setting_of
from memfit.speed.predict import predict as predict_speed
from memfit.speed.records import Speed
from memfit.speed.traffic import Traffic, traffic


class Arithmetic(msgspec.Struct, frozen=True, kw_only=True):
    """A row with the footprint and the speed that it is made of.

    Attributes:
        footprint: at the context of the row.
        speed: at half of that context; None where nobody published what the engine makes of such a chip.
        traffic: what the operations beside the matrices move in DRAM for one token, fused and not.
    """

    row: FitRow
    footprint: Footprint
    speed: Speed | None
    traffic: tuple[Traffic, ...] = ()
    schema_version: int = 1


def arithmetic(device: Device, wish: Wish, model: str) -> Arithmetic:
    """The best row of one model, taken apart.

    Raises:
        UnknownName, ModelError: as ``fit``.
        UsageError: no engine takes it.
    """
    rows = fit(device, wish, models=(model,)).rows
    if not rows:
        raise UsageError(f"no engine that was asked for takes {model}", hint="--engine all asks every one")
    row = rows[0]
    tokens = min(max(wish.context_tokens, 512), row.context_tokens or wish.context_tokens)
    options = options_of(device, wish, row.engine, tokens)
    format = row.format if row.where == "catalog" and _has_formats(model) else None
    deployment = Deployment(model=model, engine=row.engine, format=format, options=options)
    models = find_models(deployment, source="formula")
    footprint = predict(device, models, deployment, source="formula")
    return Arithmetic(
        row=row,
        footprint=footprint,
        speed=_speed(device, wish, row, models.model, tokens),
        traffic=() if row.task else traffic(models.model, 1, depth_tokens=tokens // 2),
    )


def setting_on(device: Device, wish: Wish, engine: str) -> Setting | None:
    """The engine on a board in the wished power mode; None where nobody published what it makes of such a chip."""
    if device.name not in BOARDS:
        return None
    try:
        return setting_of(BOARDS.get(device.name), engine, mode=wish.power_mode or None, on_cpu=not device.gpu)
    except UsageError:
        return None


def _has_formats(model: str) -> bool:
    """Whether it can be had in several, and is no file."""
    return model not in SPEECH or SPEECH.get(model).config is not None


def _speed(device: Device, wish: Wish, row: FitRow, shape: ModelShape, tokens: int) -> Speed | None:
    if device.name not in BOARDS or row.task:
        return None
    try:
        return predict_speed(
            shape,
            BOARDS.get(device.name),
            row.engine,
            mode=wish.power_mode or None,
            depth_tokens=tokens // 2,
            sequences=wish.slots,
            kv_type_k=wish.kv_type,
            kv_type_v=wish.kv_type,
            on_cpu=not device.gpu,
        )
    except UsageError:
        return None
