"""Least squares on the logarithm of a step's time, and what is left out of it to know the error.

A source's anchors weigh 1 ÷ √n each: forty cells of one board must not outvote three boards of others. A bound is only
taken in where it explains more than a tenth of what the fit without it leaves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from memfit.speed.machine import math_of, peak_flops
from memfit.speed.records import ComputeShare, Efficiency, Math
from memfit.speed.roofline import prompt_time
from speed_fit.points import Decode, Prefill

LEAST_GAIN = 0.9  # a bound is kept where it brings the error below this share of what it was
LEAST_ERROR = 1.10  # no error bar is narrower: power modes and versions are told in half of the anchors
QUANTILE = 0.9  # of the errors, that the bar holds
ALONE = 1.5  # one source says nothing of another's methods: its bar is that power of what its own models differ by
ALONE_LEAST = 1.25  # and no narrower than this
PROMPT_LEAST, PROMPT_ALONE = 1.25, 1.4  # the same of prompts, whose anchors are few
# no group of several sources shows more of the data sheet's bandwidth: where small models alone were published, nothing
# else keeps a fit from taking all of it
MOST_BANDWIDTH = 0.9
LEAST_MIXTURES = 2  # one publication of one mixture may be slow for another reason than its experts
LONG_TOKENS = 64  # a prompt that is bound by arithmetic on every chip here
STARTS = 4
# a weak pull, for groups whose models have all the same size: a layer costs about this many clocks (the median of the
# groups that tell), and a doubling of it costs as much as 2 % of error everywhere
USUAL_CLOCKS, CLOCKS_WEIGHT = 80_000.0, 0.02


@dataclass(frozen=True)
class Parameters:
    """What a fit looks for."""

    bandwidth: float
    clocks: float
    weights: float | None = None
    experts: float = 0.0

    def efficiency(self, engine: str, chip: str) -> Efficiency:
        """As the roofline takes it."""
        return Efficiency(
            engine=engine,
            chip=chip,
            bandwidth_share=self.bandwidth,
            weights_per_clock=self.weights,
            layer_clocks=self.clocks,
            expert_clocks=self.experts,
            error=1.0,
        )


def residual(point: Decode, parameters: Parameters) -> float:
    """ln(predicted ÷ published) of the time: positive where the prediction is too slow.

    The same as ``roofline.step_time`` of one token, with what does not change divided out once: a fit asks for it some
    hundred thousand times. A test holds the two together.
    """
    waits = point.weights_s / parameters.bandwidth
    if parameters.weights is not None:
        waits = max(waits, point.unpacking_s / parameters.weights)
    seconds = waits + point.besides_s / parameters.bandwidth + point.layer_s * parameters.clocks
    seconds += point.expert_layer_s * parameters.experts
    return math.log(seconds / point.seconds)


def fit(points: Sequence[Decode], given: Parameters | None = None, *, experts: bool | None = None) -> Parameters:
    """The parameters of one engine on one chip.

    ``given`` are another chip's, of which all but the bandwidth's share is kept: for groups of one or two anchors.
    ``experts`` is whether what they cost besides may be looked for; by default where mixtures were published twice.
    """
    if given is not None:
        return _rounded(_search(points, given, ("bandwidth",)))
    if experts is None:
        experts = len(_mixtures(points)) >= LEAST_MIXTURES
    best = _search(points, Parameters(0.7, USUAL_CLOCKS), ("bandwidth", "clocks"))
    for extra, start in (("weights", 10.0), ("experts", USUAL_CLOCKS)):
        if extra == "experts" and not (experts and _mixtures(points)):
            continue
        names = ["bandwidth", "clocks", *(["weights"] if best.weights is not None else []), extra]
        trial = _search(points, replace(best, **{extra: start}), tuple(dict.fromkeys(names)))
        if _loss(points, trial) < LEAST_GAIN**2 * _loss(points, best):
            best = trial
    return _rounded(best)


def fit_cores(points: Sequence[Decode]) -> Parameters:
    """The parameters of an engine on CPU cores, which unpack slower than the DRAM delivers.

    How fast they unpack, and what a layer costs them besides: they wait for one another at the end of each matrix.
    """
    return _rounded(_search(points, Parameters(1.0, USUAL_CLOCKS, weights=3.0), ("weights", "clocks")))


def _mixtures(points: Sequence[Decode]) -> set[tuple[str, str]]:
    """The mixtures of experts among the models, each time that one was published."""
    return {(point.anchor.model, point.source) for point in points if point.touched.experts_bytes}


def bar(points: Sequence[Decode], fitted: Parameters, given: Parameters | None = None) -> float:
    """The error bar as a factor: how wrong the fit is about sources that it has not seen.

    A source that holds more than half of the anchors is left out model by model: without all of it nothing is left to
    fit. So is a group's only source.
    """
    counts = Counter(point.source for point in points)
    alone = len(counts) < 2
    small = {source for source, count in counts.items() if 2 * count <= len(points)}

    def key(point: Decode) -> tuple[str, str]:
        return (point.source, "" if point.source in small else point.anchor.model)

    experts = len(_mixtures(points)) >= LEAST_MIXTURES
    errors: list[float] = []
    for left_out in sorted({key(point) for point in points}):
        rest = [point for point in points if key(point) != left_out]
        parameters = fit(rest, given, experts=experts) if len(rest) > 1 else fitted
        errors += [abs(residual(point, parameters)) for point in points if key(point) == left_out]
    width = _quantile(errors, QUANTILE) * (ALONE if alone else 1.0)
    return round(max(math.exp(width), ALONE_LEAST if alone else LEAST_ERROR), 2)


def shares(points: Sequence[Prefill], efficiency: Efficiency) -> Efficiency:
    """The share of the peak that prompts reach, by what is multiplied, and what a prompt takes besides.

    Prompts of a few tokens are bound by fetching and tell nothing of it. What a prompt takes besides is looked for
    where at least ``STARTS`` of them tell it from arithmetic.
    """
    long = [point for point in points if (point.anchor.prompt_tokens or 0) >= LONG_TOKENS]
    by_math: dict[Math, list[Prefill]] = {}
    for point in long:
        by_math.setdefault(math_of(point.machine, point.math), []).append(point)
    if not by_math:
        return efficiency
    best: tuple[float, Efficiency] | None = None
    starts = [0.005 * step for step in range(81)] if len(long) >= STARTS else [0.0]
    for start in starts:
        trial = msgspec.structs.replace(efficiency, start_s=round(start, 3), compute=())
        found = tuple(_share(by_math[kind], trial, kind) for kind in sorted(by_math))
        trial = msgspec.structs.replace(trial, compute=found)
        loss = sum(prompt_residual(point, trial) ** 2 for point in long)
        if best is None or loss < best[0] - 1e-9:
            best = (loss, trial)
    assert best is not None
    fitted = best[1]
    return msgspec.structs.replace(
        fitted, compute=tuple(_with_bar(share, by_math[share.math], fitted) for share in fitted.compute)
    )


def prompt_residual(point: Prefill, efficiency: Efficiency) -> float:
    """ln(predicted ÷ published) of a prompt's time."""
    return math.log(prompt_time(point.steps, point.machine, efficiency, point.math).seconds / point.seconds)


def _with_bar(share: ComputeShare, points: Sequence[Prefill], efficiency: Efficiency) -> ComputeShare:
    alone = len({point.source for point in points}) < 2
    width = _quantile([abs(prompt_residual(point, efficiency)) for point in points], QUANTILE)
    least = PROMPT_ALONE if alone else PROMPT_LEAST
    return msgspec.structs.replace(share, error=round(max(math.exp(width * (ALONE if alone else 1.0)), least), 2))


def _share(points: Sequence[Prefill], efficiency: Efficiency, kind: Math) -> ComputeShare:
    def loss(share: float) -> float:
        entry = ComputeShare(math=kind, share=share, error=1.0, anchors=0)
        trial = msgspec.structs.replace(efficiency, compute=(entry,))
        return sum(prompt_residual(point, trial) ** 2 for point in points)

    # start from what the arithmetic alone would need
    needed = [
        sum(step.flops for step in point.steps) / (point.seconds * peak_flops(point.machine, kind)) for point in points
    ]
    value = math.exp(sum(math.log(part) for part in needed) / len(needed))
    step = 1.3
    while step > 1.001:
        better = min((value, min(value * step, 1.0), value / step), key=loss)
        if better == value:
            step = math.sqrt(step)
        value = better
    return ComputeShare(math=kind, share=float(f"{value:.3g}"), error=1.0, anchors=len(points))


def _loss(points: Sequence[Decode], parameters: Parameters) -> float:
    counts = Counter(point.source for point in points)
    total = weight = 0.0
    for point in points:
        own = 1.0 / math.sqrt(counts[point.source])
        total += own * residual(point, parameters) ** 2
        weight += own
    pull = CLOCKS_WEIGHT**2 * math.log2((parameters.clocks + 10_000) / (USUAL_CLOCKS + 10_000)) ** 2
    return total / weight + pull


def _search(points: Sequence[Decode], start: Parameters, names: tuple[str, ...]) -> Parameters:
    """Pattern search over the logarithms; deterministic, and needs no derivative at the corners of a maximum."""
    most = {"bandwidth": MOST_BANDWIDTH, "experts": 2e6, "clocks": 2e6, "weights": 1e3}
    best, lowest = start, _loss(points, start)
    for first in (0.25, 0.5, 1.0, 2.0, 4.0):
        current = start
        if "weights" in names and start.weights is not None:
            current = replace(start, weights=start.weights * first)
        elif first != 1.0:
            continue
        loss, step = _loss(points, current), 1.6
        while step > 1.0005:
            moved = False
            for name in names:
                value = getattr(current, name)
                for factor in (step, 1 / step):
                    trial = replace(current, **{name: min(value * factor, most[name])})
                    tried = _loss(points, trial)
                    if tried < loss - 1e-12:
                        current, loss, moved = trial, tried, True
                        break
            if not moved:
                step = math.sqrt(step)
        if loss < lowest - 1e-9:
            best, lowest = current, loss
    return best


def _rounded(parameters: Parameters) -> Parameters:
    return Parameters(
        bandwidth=round(parameters.bandwidth, 3),
        clocks=float(round(parameters.clocks, -2)),
        weights=None if parameters.weights is None else float(f"{parameters.weights:.3g}"),
        experts=float(round(parameters.experts, -2)),
    )


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
