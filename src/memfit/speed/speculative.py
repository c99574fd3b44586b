"""Speculative decoding: what a draft model brings over its acceptance, from which acceptance on, and at which length.

A step drafts k tokens one by one and checks them in one pass of the target over k+1. If each is accepted with
probability a, it yields (1 - a^(k+1)) / (1 - a) tokens (Leviathan et al., "Fast Inference from Transformers via
Speculative Decoding", 2023, equation 1). Memory of the second model is the caller's to count.

The pass over k+1 tokens costs what the roofline says of several tokens that share the weights. For kernels that are
worse at a few tokens than at one it says too little: INT4 of TensorRT Edge-LLM takes 2.5 times as long for eight.
"""

from __future__ import annotations

import msgspec

from memfit.errors import UsageError
from memfit.model.shape import ModelShape
from memfit.speed.predict import decode_seconds, math_for
from memfit.speed.records import Efficiency, Machine
from memfit.speed.touched import profile

MOST_DRAFTED = 16  # --spec-draft-n-max of llama.cpp (common/arg.cpp, 0c1e57098)
_ACCEPTANCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What speculating brings at one acceptance.

    Attributes:
        acceptance: the share of drafted tokens that the target agrees with.
        drafted: the best number to draft a step, 0 where drafting none is best.
        tokens_a_step: expected.
        speed_up: over the target alone.
    """

    acceptance: float
    drafted: int
    tokens_a_step: float
    speed_up: float


class Speculation(msgspec.Struct, frozen=True, kw_only=True):
    """A draft model beside its target.

    Attributes:
        target, draft: their names.
        target_s: one token of the target alone.
        draft_s: one token of the draft.
        verify_s: the target's pass over 2, 3, ... tokens, so ``verify_s[k - 1]`` checks k drafted ones.
        break_even: the acceptance above which it is faster than the target alone at the best length; None where it
            never is.
        gains: over a range of acceptances.
    """

    target: str
    draft: str
    target_s: float
    draft_s: float
    verify_s: tuple[float, ...]
    break_even: float | None
    gains: tuple[Gain, ...]


def expected_tokens(acceptance: float, drafted: int) -> float:
    """Tokens that a step yields: the accepted ones and the target's own.

    Raises:
        UsageError: an acceptance outside of 0 to 1, or fewer than no tokens.
    """
    if not 0.0 <= acceptance <= 1.0 or drafted < 0:
        raise UsageError(
            f"an acceptance of {acceptance} with {drafted} drafted tokens", hint="acceptance is between 0 and 1"
        )
    if acceptance == 1.0:
        return float(drafted + 1)
    return (1.0 - acceptance ** (drafted + 1)) / (1.0 - acceptance)


def speed_up(acceptance: float, drafted: int, *, target_s: float, draft_s: float, verify_s: float) -> float:
    """How many times faster than the target alone; ``verify_s`` is its pass over all drafted tokens and one."""
    return expected_tokens(acceptance, drafted) * target_s / (drafted * draft_s + verify_s)


def break_even(drafted: int, *, target_s: float, draft_s: float, verify_s: float) -> float | None:
    """The acceptance at which drafting this many is as fast as not drafting; None where no acceptance reaches that."""
    needed = (drafted * draft_s + verify_s) / target_s
    if needed > drafted + 1:
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if expected_tokens(middle, drafted) < needed else (low, middle)
    return high


def speculate(
    target: ModelShape,
    draft: ModelShape,
    machine: Machine,
    efficiency: Efficiency,
    *,
    depth_tokens: int = 0,
    most_drafted: int = MOST_DRAFTED,
) -> Speculation:
    """What ``draft`` brings beside ``target``, both with the same engine; see ``vocabulary.compatible`` first.

    Raises:
        UsageError: fewer than one token to draft.
    """
    if most_drafted < 1:
        raise UsageError(f"at most {most_drafted} drafted tokens", hint="draft at least one")
    large, small = profile(target), profile(draft)
    used = math_for(efficiency.engine, large.format)
    verify = tuple(
        decode_seconds(large, machine, efficiency, depth_tokens=depth_tokens, tokens=drafted + 1, math=used)
        for drafted in range(1, most_drafted + 1)
    )
    alone = decode_seconds(large, machine, efficiency, depth_tokens=depth_tokens, tokens=1, math=used)
    one = decode_seconds(small, machine, efficiency, depth_tokens=depth_tokens, tokens=1, math=used)
    points = [
        break_even(drafted, target_s=alone, draft_s=one, verify_s=verify[drafted - 1])
        for drafted in range(1, most_drafted + 1)
    ]
    return Speculation(
        target=target.name,
        draft=draft.name,
        target_s=alone,
        draft_s=one,
        verify_s=verify,
        break_even=min((point for point in points if point is not None), default=None),
        gains=tuple(_best(acceptance, alone, one, verify) for acceptance in _ACCEPTANCES),
    )


def _best(acceptance: float, alone: float, one: float, verify: tuple[float, ...]) -> Gain:
    best = Gain(acceptance=acceptance, drafted=0, tokens_a_step=1.0, speed_up=1.0)
    for drafted, check in enumerate(verify, start=1):
        gain = speed_up(acceptance, drafted, target_s=alone, draft_s=one, verify_s=check)
        if gain > best.speed_up:
            best = Gain(
                acceptance=acceptance,
                drafted=drafted,
                tokens_a_step=expected_tokens(acceptance, drafted),
                speed_up=gain,
            )
    return best
