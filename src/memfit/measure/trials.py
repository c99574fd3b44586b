"""Runs a deployment as often as it takes to tell whether it runs under its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

    def run(self, workload: Workload, limit_bytes: int | None, *, alone: bool) -> tuple[Observation, tuple[float, ...]]:
        """The run to judge, and the decode speeds without a limit where those are needed and known, a run each.

        ``alone`` says whether this machine holds the deployment without a limit. A run that was slow though hardly
        anything was read again may have been slowed by others: it is run once more, and the faster one counts. So may
        have been what it is compared with: where that is one run, there is a second.
        """
        observation = self._once(workload, limit_bytes)
        if not _was_pressed(observation):
            return observation, ()
        once = msgspec.structs.replace(workload, rounds=1, soak_s=0.0)
        speeds = [*_known_speeds(self._store, observation)]
        if not speeds and alone:
            speeds += self._unlimited(once)
        if _was_only_slow(observation, speeds):
            again = self._once(once, limit_bytes)
            if again.outcome == "completed" and _speed(again) > _speed(observation):
                faster = {"decode_tokens_per_s": again.decode_tokens_per_s}
                observation = again if workload == once else msgspec.structs.replace(observation, **faster)
        if _was_only_slow(observation, speeds) and len(speeds) == 1 and alone:
            speeds += self._unlimited(once)
        return observation, tuple(speeds)

    def _unlimited(self, workload: Workload) -> tuple[float, ...]:
        ran = self._once(workload, None)
        return () if ran.outcome != "completed" or ran.decode_tokens_per_s is None else (ran.decode_tokens_per_s,)

    def _once(self, workload: Workload, limit_bytes: int | None) -> Observation:
        observation = self._observe(workload=workload, limit_bytes=limit_bytes)
        self.ran.append(observation)
        return observation


def _was_pressed(observation: Observation) -> bool:
    """Whether a limit was reached in a run that came to its end, so that its speed says something."""
    limit = observation.limit
    enforced = limit.limit_bytes is not None and limit.mechanism != "none" and not judge.cannot_tell(observation)
    return enforced and observation.outcome == "completed" and observation.paging.limit_failures > 0


def _was_only_slow(observation: Observation, unlimited_tokens_per_s: list[float]) -> bool:
    """Whether nothing but its speed speaks against it, and nothing that was seen explains that."""
    speed = observation.decode_tokens_per_s
    if speed is None or not unlimited_tokens_per_s or judge.is_slowed(observation):
        return False
    return speed < judge.LEAST_SPEED * judge.unlimited_speed(unlimited_tokens_per_s) and judge.runs(observation)[0]


def _speed(observation: Observation) -> float:
    return observation.decode_tokens_per_s or 0.0


def _known_speeds(store: Store | None, observation: Observation) -> Iterator[float]:
    """Decode speeds of the same setting without a limit, from the runs that are kept."""
    for kept in store.all(observation.shape_digest) if store is not None else ():
        alike = kept.outcome == "completed" and kept.limit.limit_bytes is None and _same_setting(kept, observation)
        if alike and kept.decode_tokens_per_s is not None:
            yield kept.decode_tokens_per_s


def _same_setting(kept: Observation, observation: Observation) -> bool:
    def setting(one: Observation) -> tuple[object, ...]:
        work = msgspec.structs.replace(one.workload, rounds=1, soak_s=0.0, seed=0)
        return one.machine, one.engine, one.shape_digest, one.deployment.options, one.profile, work

    return bool(observation.shape_digest) and setting(kept) == setting(observation)
