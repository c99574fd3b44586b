"""Which deployments are run for real: some of every verdict, mostly small ones, and what that will cost."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import msgspec

from soaking.decide import Decision
from soaking.draw import shape_of

# shares of the runs: what is said to fit must run, what is refused is tried by force
_SHARES = {"fits": 0.66, "no": 0.22, "tight": 0.12}
LARGE_PARAMETERS = 6_500_000_000
_LARGE_SHARE = 0.08
GENERATED_TOKENS = 16
LEAST_FULL_CONTEXT = 1024
# of two cores of a virtual machine, to tell what a run costs and nothing else
_MULTIPLY_ADDS_PER_S = 30e9
_SLOW_FORMATS = 4  # times as long: what is looked up in tables instead of computed
_READ_BYTES_PER_S = 250e6
_MEMORY_BYTES_PER_S = 5e9


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment to run.

    Attributes:
        full: fill the whole context.
        cost_s: a rough guess, for order and for a limit in time.
    """

    decision: Decision
    full: bool
    cost_s: float


def pick(decisions: Iterable[Decision], runs: int, full: int, seed: int) -> list[Pick]:
    """``runs`` deployments, ``full`` of them with a full context; files are shared where that is possible."""
    usable = [one for one in decisions if one.agree and one.said in _SHARES]
    dice = random.Random(seed)
    # every cost times a random factor: mostly cheap ones, and not always the same model
    spread = {one.drawn.index: dice.lognormvariate(0, 1) for one in usable}
    taken: dict[int, Pick] = {}
    filled = [one for one in usable if one.said == "fits" and _context(one) >= LEAST_FULL_CONTEXT]
    for one in sorted(filled, key=lambda one: cost_s(one, full=True) * spread[one.drawn.index])[:full]:
        taken[one.drawn.index] = Pick(decision=one, full=True, cost_s=cost_s(one, full=True))
    for one in _by_shares(usable, runs, spread):
        if len(taken) >= runs:
            break
        taken.setdefault(one.drawn.index, Pick(decision=one, full=False, cost_s=cost_s(one, full=False)))
    return sorted(taken.values(), key=lambda one: (one.decision.drawn.card, one.decision.drawn.format))


def _by_shares(usable: list[Decision], runs: int, spread: dict[int, float]) -> Iterator[Decision]:
    def key(one: Decision) -> float:
        return cost_s(one, full=False) * spread[one.drawn.index]

    large = [one for one in usable if _parameters(one) >= LARGE_PARAMETERS and one.said == "fits"]
    yield from sorted(large, key=key)[: round(runs * _LARGE_SHARE)]
    for verdict, share in _SHARES.items():
        yield from sorted((one for one in usable if one.said == verdict), key=key)[: round(runs * share)]
    yield from sorted(usable, key=key)  # where a verdict had too few


def cost_s(one: Decision, *, full: bool) -> float:
    """Seconds of two runs, with a limit and without: reading the file, the prompt, and the tokens after it."""
    options = one.drawn.options
    prompt = _context(one) if full else min(options.ubatch_tokens, _context(one))
    shape = shape_of(one.drawn.card, one.drawn.format)
    active = shape.parameters_active if shape is not None else 0
    if one.drawn.format.startswith("IQ"):
        active *= _SLOW_FORMATS
    return 2 * (
        5
        + one.weights_bytes / _READ_BYTES_PER_S
        + active * prompt / _MULTIPLY_ADDS_PER_S
        + GENERATED_TOKENS * one.weights_bytes / _MEMORY_BYTES_PER_S
    )


def _context(one: Decision) -> int:
    return one.drawn.options.context_tokens


def _parameters(one: Decision) -> int:
    shape = shape_of(one.drawn.card, one.drawn.format)
    return shape.parameters if shape is not None else 0
