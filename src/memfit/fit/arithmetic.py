"""The whole arithmetic of one row: where every byte and every millisecond comes from."""

from __future__ import annotations

import msgspec

from memfit.device.records import Device
from memfit.engine.records import Deployment
from memfit.errors import UsageError
from memfit.fit.exact import options_of
from memfit.fit.records import FitRow, Wish
from memfit.fit.rows import setting_on, speed_at
from memfit.fit.search import fit
from memfit.fit.sizes import PROGRAM
from memfit.footprint.estimate import find_models
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.model.shape import ModelShape
from memfit.speed.records import Speed
from memfit.speed.touched import profile
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
    tokens = row.at_tokens  # of these the row is, whatever was asked for
    options = options_of(device, wish, row.engine, tokens)
    format = None if row.as_stored else row.format
    deployment = Deployment(model=model, engine=row.engine, format=format, options=options)
    models = find_models(deployment, source="formula")
    footprint = predict(device, models, deployment, profile=PROGRAM, source="formula")
    return Arithmetic(
        row=row,
        footprint=footprint,
        speed=_speed(device, wish, row, models.model, tokens),
        traffic=() if row.task else traffic(models.model, 1, depth_tokens=tokens // 2),
    )


def _speed(device: Device, wish: Wish, row: FitRow, shape: ModelShape, tokens: int) -> Speed | None:
    setting = None if row.task else setting_on(device, wish, row.engine)
    if setting is None:
        return None
    return speed_at(device, wish, setting, profile(shape), tokens)
