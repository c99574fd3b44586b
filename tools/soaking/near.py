"""Refusals that may be false: where the limit comes near to what a run would likely hold, every one is tried by force.

What is refused with a limit far below even the likely figure is killed, as a sample shows; a rate over a random sample
of all refusals would say little of the few that matter.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from memfit.device import Device
from memfit.footprint.estimate import estimate_deployment
from soaking.decide import Decision, deployment_of
from soaking.pick import Pick, cost_s

NEAR_SHARE = 0.95
"""A limit of so much of the likely memory is near."""


def near(decisions: Iterable[Decision], here: Device) -> list[Pick]:
    """Every refused deployment whose limit is near to its likely memory."""
    return [
        Pick(decision=one, full=False, cost_s=cost_s(one, full=False))
        for one in decisions
        if one.said == "no" and one.agree and one.drawn.limit_bytes >= NEAR_SHARE * _likely_bytes(one, here)
    ]


def _likely_bytes(decision: Decision, here: Device) -> int:
    """What a run would likely hold that cannot be dropped."""
    device = msgspec.structs.replace(here, name="limit", capacity_bytes=decision.drawn.limit_bytes, grade="stated")
    found = estimate_deployment(
        deployment_of(decision.drawn), device=device, source="formula", relief=False, calibration=None
    )
    return found.likely_bytes - found.evictable_bytes
