"""Runs a deployment as often as it takes to tell whether it runs under its limit."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from memfit.engine.records import Workload
from memfit.measure import judge
from memfit.measure.records import Observation

if TYPE_CHECKING:
    from memfit.measure.store import Store

# ``measure.run.observe``, or what stands for it in tests
Observe = Callable[..., Observation]


class Trials:
    """Runs a deployment as often as it takes to tell whether it runs under its limit.

    Attributes:
        ran: every run, in order.
    """

    def __init__(self, observe: Observe, store: Store | None) -> None:
        self._observe = observe
        self._store = store
        self.ran: list[Observation] = []

    def run(self, workload: Workload, limit_bytes: int | None, *, alone: bool) -> tuple[Observation, float | None]:
        """The run to judge, and the decode speed without a limit where that is needed and known.

        ``alone`` says whether this machine holds the deployment without a limit. A run that was slow though hardly
        anything was read again may have been slowed by others: it is run once more, and the faster one counts.
        """
        observation = self._once(workload, limit_bytes)
        if not _was_pressed(observation):
            return observation, None
        once = msgspec.structs.replace(workload, rounds=1, soak_s=0.0)
        speed = _known_speed(self._store, observation)
        if speed is None and alone:
            unlimited = self._once(once, None)
            speed = unlimited.decode_tokens_per_s if unlimited.outcome == "completed" else None
        if _was_only_slow(observation, speed):
            again = self._once(once, limit_bytes)
            if again.outcome == "completed" and _speed(again) > _speed(observation):
                faster = {"decode_tokens_per_s": again.decode_tokens_per_s}
                observation = again if workload == once else msgspec.structs.replace(observation, **faster)
        return observation, speed

    def _once(self, workload: Workload, limit_bytes: int | None) -> Observation:
        observation = self._observe(workload=workload, limit_bytes=limit_bytes)
        self.ran.append(observation)
        return observation


def _was_pressed(observation: Observation) -> bool:
    """Whether a limit was reached in a run that came to its end."""
    limit = observation.limit
    enforced = limit.limit_bytes is not None and limit.mechanism != "none"
    return enforced and observation.outcome == "completed" and observation.paging.limit_failures > 0


def _was_only_slow(observation: Observation, unlimited_tokens_per_s: float | None) -> bool:
    share = judge.refaulted_share(observation)
    if share is not None and share > judge.MOST_REFAULTED_SHARE / 10:
        return False
    return not judge.runs(observation, unlimited_tokens_per_s)[0]


def _speed(observation: Observation) -> float:
    return observation.decode_tokens_per_s or 0.0


def _known_speed(store: Store | None, observation: Observation) -> float | None:
    """Decode speed of the same setting without a limit, from the runs that are kept; the median of several."""
    if store is None:
        return None
    speeds = [
        kept.decode_tokens_per_s
        for kept in store.all(observation.shape_digest)
        if kept.decode_tokens_per_s is not None
        and kept.outcome == "completed"
        and kept.limit.limit_bytes is None
        and _same_setting(kept, observation)
    ]
    return statistics.median(speeds) if speeds else None


def _same_setting(kept: Observation, observation: Observation) -> bool:
    def setting(one: Observation) -> tuple[object, ...]:
        work = msgspec.structs.replace(one.workload, rounds=1, soak_s=0.0, seed=0)
        return one.machine, one.engine, one.shape_digest, one.deployment.options, one.profile, work

    return bool(observation.shape_digest) and setting(kept) == setting(observation)
