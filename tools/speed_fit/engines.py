"""All engines: their parameters, error bars, and what their prompts reach."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from memfit.speed.records import Efficiency
from speed_fit.fit import Parameters, bar, fit, shares
from speed_fit.points import Decode, Prefill, decodes, grouped, prefills

FEW = 3  # a group with fewer anchors keeps what the same engine has elsewhere, but for bandwidth
FEW_ERROR = 1.5  # at least, for a group that small

# the CPU's one anchor tells how fast cores unpack, and nothing of bandwidth or layers
CPU_ERROR = 2.0


def fitted() -> dict[str, tuple[Efficiency, ...]]:
    """Every engine's efficiency on every chip that it was published on."""
    found: dict[str, list[Efficiency]] = defaultdict(list)
    kept: dict[str, Parameters] = {}
    prompts: dict[tuple[str, str], list[Prefill]] = defaultdict(list)
    for point in prefills():
        if point.anchor.fitted:
            prompts[point.anchor.engine, point.machine.chip].append(point)
    for (engine, chip), points in grouped(decodes()).items():
        if chip == "CPU":
            efficiency = _cpu(engine, points)
        else:
            given = kept.get(engine) if len(points) < FEW else None
            parameters = fit(points, given)
            kept.setdefault(engine, parameters)
            error = bar(points, parameters, given)
            efficiency = parameters.efficiency(engine, chip)
            efficiency = msgspec.structs.replace(efficiency, error=max(error, FEW_ERROR) if given else error)
        efficiency = msgspec.structs.replace(
            shares(prompts[engine, chip], efficiency),
            anchors=len(points),
            sources=tuple(sorted({point.source for point in points})),
        )
        found[engine].append(efficiency)
    return {engine: tuple(chips) for engine, chips in found.items()}


def _cpu(engine: str, points: list[Decode]) -> Efficiency:
    rates = [point.touched.numbers / (point.seconds * point.machine.units * point.machine.unit_hz) for point in points]
    weights = sum(rates) / len(rates)
    efficiency = Parameters(1.0, 0.0, float(f"{weights:.3g}")).efficiency(engine, "CPU")
    return msgspec.structs.replace(efficiency, error=CPU_ERROR)
