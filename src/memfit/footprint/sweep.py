"""A footprint over one option, and its inverse: the largest value that still fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.records import Deployment, Profile, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint.predict import predict, summary
from memfit.footprint.records import Curve, CurvePoint, Footprint, Largest

Swept = Literal["context", "slots", "ubatch"]
_FIELD: dict[str, str] = {"context": "context_tokens", "ubatch": "ubatch_tokens"}
_STEP: dict[str, int] = {"context": 256, "slots": 1, "ubatch": 1}


def sweep(
    device: Device,
    models: Models,
    deployment: Deployment,
    option: Swept,
    values: Sequence[int],
    *,
    profile: Profile = "library",
) -> Curve:
    """The footprint at every value of one option, by formula.

    Raises:
        UsageError: no values, or one that the engine refuses.
    """
    if not values:
        raise UsageError(f"no values to sweep {option} over", hint="write a range, such as context=2k..128k")
    points = []
    for value in values:
        footprint = _at(device, models, deployment, option, value, profile)
        points.append(
            CurvePoint(
                value=value,
                likely_bytes=footprint.likely_bytes,
                high_bytes=footprint.high_bytes,
                required_bytes=footprint.required_bytes,
                verdict=footprint.verdict,
            )
        )
    return Curve(
        option=option,
        model=summary(models.model, deployment.format, deployment.engine),
        device=device,
        capacity_bytes=device.capacity_bytes,
        points=tuple(points),
    )


def largest_fitting(
    device: Device, models: Models, deployment: Deployment, option: Swept, *, profile: Profile = "library"
) -> Largest:
    """The largest value of ``option`` with the verdict ``fits``, by formula.

    No slot's context is larger than the trained one; slots end at what the engine serves.
    """
    step = _STEP[option]
    most = _most(models, deployment, option)
    low, high = 0, most // step
    while low < high:
        middle = (low + high + 1) // 2
        if _at(device, models, deployment, option, middle * step, profile).verdict == "fits":
            low = middle
        else:
            high = middle - 1
    value = low * step
    return Largest(
        option=option,
        value=value or None,
        most=most,
        footprint=_at(device, models, deployment, option, value or step, profile),
    )


def _most(models: Models, deployment: Deployment, option: Swept) -> int:
    # llama.cpp's slots with a buffer each divide the context, and every one of them may take the trained length;
    # other engines mean the context of each request
    divided = not deployment.options.unified_kv and not ENGINES.get(deployment.engine).only_sized
    shares = deployment.options.slots if divided else 1
    trained = max(256, models.model.context_trained_tokens) * shares
    return {"context": trained, "slots": 256, "ubatch": 4096}[option]


def _at(
    device: Device, models: Models, deployment: Deployment, option: Swept, value: int, profile: Profile
) -> Footprint:
    if option == "slots":
        options = with_slots(deployment.options, value)
    else:
        options = msgspec.structs.replace(deployment.options, **{_FIELD[option]: value})
    changed = msgspec.structs.replace(deployment, options=options)
    return predict(device, models, changed, profile=profile, source="formula")


def steps(first: int, last: int) -> tuple[int, ...]:
    """``first`` doubled until ``last``, which is always the end.

    Raises:
        UsageError: an empty range.
    """
    if first <= 0 or last < first:
        raise UsageError(f"{first}..{last} is not a range", hint="write the smaller value first, such as 2k..128k")
    values = []
    value = first
    while value < last:
        values.append(value)
        value *= 2
    return (*values, last)
