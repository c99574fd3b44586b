"""All engines: their parameters, error bars, and what their prompts reach."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from memfit.speed.records import Efficiency
from speed_fit.fit import Parameters, bar, fit, fit_cores, shares
from speed_fit.points import Decode, Prefill, decodes, grouped, prefills

FEW = 3  # a group with fewer anchors keeps what the same engine has elsewhere, but for bandwidth
FEW_ERROR = 1.5  # at least, for a group that small

CPU_ERROR = 2.0  # its two anchors tell its two parameters, and nothing of how wrong they are


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
    return msgspec.structs.replace(fit_cores(points).efficiency(engine, "CPU"), error=CPU_ERROR)
