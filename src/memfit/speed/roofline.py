"""The roofline: a step takes what its matrices wait for longest, what it reads besides, and its kernels' starts.

    step = max(bytes of matrices ÷ (share x bandwidth),   fetching
               weights ÷ (weights a clock x clocks),      unpacking them
               flops ÷ (share x peak))                    computing, where several tokens share the weights
           + bytes of cache and state ÷ (share x bandwidth)
           + layers x clocks a layer                      starting and ending kernels

Attention's kernels run between those of the matrices, so what they fetch is not hidden behind unpacking. Pure: records
in, records out.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memfit.errors import UsageError
from memfit.speed.machine import math_of, peak_flops
from memfit.speed.records import Bound, ComputeShare, Efficiency, Machine, Math, SpeedPart, Touched

LEAST_SPREAD = 1.05  # of a calibrated speed: no run repeats itself closer on a board that warms up


class Step:
    """The time of one step and where it goes.

    Attributes:
        seconds: of the step.
        parts: what it consists of: where fetching is the longest, its bytes by kind; else what was waited for.
        bound: what most of it waits for.
    """

    __slots__ = ("bound", "parts", "seconds")

    def __init__(self, seconds: float, parts: tuple[SpeedPart, ...], bound: Bound) -> None:
        self.seconds = seconds
        self.parts = parts
        self.bound = bound


def step_time(
    touched: Touched, machine: Machine, efficiency: Efficiency, *, math: Math | None = None, extra_bytes: int = 0
) -> Step:
    """The time of one step.

    Args:
        touched: what it touches.
        machine: the board in its power mode.
        efficiency: what the engine makes of the chip.
        math: what several tokens are multiplied with; None leaves the bound of computing out, as for one token.
        extra_bytes: what unfused operations move besides.
    """
    rate = efficiency.bandwidth_share * machine.bandwidth_bytes_per_s
    fetched = (
        ("weights", touched.weights_bytes / rate),
        ("experts", touched.experts_bytes / rate),
    )
    besides = (
        ("kv", touched.kv_bytes / rate),
        ("state", touched.state_bytes / rate),
        ("activations", extra_bytes / rate),
    )
    fetching = sum(seconds for _, seconds in fetched)
    issuing = 0.0
    if efficiency.weights_per_clock is not None:
        issuing = touched.numbers / (efficiency.weights_per_clock * machine.units * machine.unit_hz)
    computing = 0.0
    share = None if math is None else compute_share(efficiency, machine, math)
    if share is not None and math is not None:
        computing = touched.flops / (share.share * peak_flops(machine, math))
    clocks = touched.layers * efficiency.layer_clocks + touched.expert_layers * efficiency.expert_clocks
    launching = clocks / machine.unit_hz
    reading = sum(seconds for _, seconds in besides)
    longest = max(fetching, issuing, computing)
    matrices: tuple[tuple[str, float], ...] = fetched
    if longest != fetching:
        matrices = (("unpacking" if longest == issuing else "computing", longest),)
    waits: dict[Bound, float] = {
        "bandwidth": reading + (fetching if longest == fetching else 0.0),
        "issue": issuing if longest == issuing and longest != fetching else 0.0,
        "compute": computing if longest not in (fetching, issuing) else 0.0,
        "launches": launching,
    }
    named = (*matrices, *besides, ("launches", launching))
    return Step(
        longest + reading + launching,
        tuple(SpeedPart(name=name, seconds=seconds) for name, seconds in named if seconds),
        max(waits, key=lambda bound: waits[bound]),
    )


def prompt_time(
    steps: Sequence[Touched],
    machine: Machine,
    efficiency: Efficiency,
    math: Math,
    *,
    extra_bytes: int = 0,
) -> Step:
    """The time of a prompt, chunk by chunk; ``extra_bytes`` over all of it."""
    times = [
        step_time(step, machine, efficiency, math=math, extra_bytes=extra_bytes // max(len(steps), 1)) for step in steps
    ]
    names = dict.fromkeys(part.name for time in times for part in time.parts)
    parts = tuple(
        SpeedPart(name=name, seconds=sum(p.seconds for time in times for p in time.parts if p.name == name))
        for name in names
    )
    longest = max(times, key=lambda time: time.seconds)
    started = (SpeedPart(name="start", seconds=efficiency.start_s),) if efficiency.start_s else ()
    return Step(sum(time.seconds for time in times) + efficiency.start_s, (*parts, *started), longest.bound)


def compute_share(efficiency: Efficiency, machine: Machine, math: Math) -> ComputeShare | None:
    """The share of the peak for this arithmetic, or for the nearest that is known; None where none is.

    A chip without that arithmetic computes in FP16, and so does an engine of which only that is known.
    """
    known = {share.math: share for share in efficiency.compute}
    for candidate in (math_of(machine, math), "fp16", "int8"):
        if candidate in known:
            return known[candidate]
    return None


def calibrated(
    efficiency: Efficiency, machine: Machine, measured: Sequence[tuple[Touched, float]]
) -> tuple[Efficiency, int]:
    """The efficiency scaled so that the measured decode speeds (tokens/s over all sequences) come out on average.

    Every bound is scaled alike: a machine that runs at 0.9 of what is expected does so in each. The error bar becomes
    what the measured speeds differ by among themselves, at least ``LEAST_SPREAD``.

    Raises:
        UsageError: a speed that is none.
    """
    if not measured:
        return efficiency, 0
    ratios = []
    for touched, speed in measured:
        if speed <= 0:
            raise UsageError(f"a measured speed of {speed} tokens/s", hint="give what a run showed")
        expected = step_time(touched, machine, efficiency).seconds
        ratios.append(expected / (touched.tokens / speed))
    factor = _geometric_mean(ratios)
    spread = max(max(ratio / factor, factor / ratio) for ratio in ratios)
    weights = efficiency.weights_per_clock
    scaled = msgspec.structs.replace(
        efficiency,
        bandwidth_share=efficiency.bandwidth_share * factor,
        weights_per_clock=None if weights is None else weights * factor,
        layer_clocks=efficiency.layer_clocks / factor,
        error=max(spread, LEAST_SPREAD),
        anchors=len(ratios),
        sources=("measured",),
    )
    return scaled, len(ratios)


def _geometric_mean(values: Sequence[float]) -> float:
    product = 1.0
    for value in values:
        product *= value ** (1.0 / len(values))
    return product
