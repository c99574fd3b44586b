"""Whether a deployment runs under a limit: not merely whether it was not killed.

A mapped model "runs" in almost any memory, because the kernel drops pages of its weights and reads them again for
every token. On fast storage, or with the file cached elsewhere, that shows only as a number of refaults.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from memfit.device.kernel_memory import PAGE_BYTES
from memfit.measure.records import Observation, Phase
from memfit.units import format_bytes

MOST_REFAULTED_SHARE = 0.01
"""Of the weights, read again for each token: more, and the working set does not fit.

Decoding takes as long as DRAM takes to deliver the weights. Reading a share s of them from storage adds s × (DRAM speed
÷ storage speed). For the fastest storage of these boards, NVMe of 2 to 3 GB/s beside DRAM of 50 to 60 GB/s as measured
on Orin Nano and NX, a share of 1 % costs the fifth of the speed that ``LEAST_SPEED`` allows; slower storage loses it
earlier, and then the speed tells. A working set that fits is not read again at all.
"""

SLOWING_SHARE = MOST_REFAULTED_SHARE / 10
"""Of the weights, read again for each token: more explains a loss of speed, on slow storage even a large one."""

LEAST_SPEED = 0.8
"""Of the decode speed without a limit."""

ALIKE = 0.1
"""Runs without a limit that differ by more from their median tell no speed: others were at work on the machine."""

MOST_HELD_SHARE = 0.05
"""Of a limit, in pages of the model that others are charged with: more, and it held too little."""


def runs(observation: Observation, unlimited_tokens_per_s: Sequence[float] = ()) -> tuple[bool, str]:
    """Whether the deployment runs under the limit it was held to, and why or why not.

    It completed; the kernel killed nothing; while it generated, at most ``MOST_REFAULTED_SHARE`` of its weights were
    read again for each token; its limit was charged with the model; and it decoded at ``LEAST_SPEED`` of its unlimited
    speed at least. A lower speed counts where pages that were read again explain it, or where two runs without a limit
    agree on what it is without: one run alone is no measure on a machine that does other things too.

    Args:
        observation: of the run under the limit.
        unlimited_tokens_per_s: decode speeds of the same deployment without one, a run each; without any, speed is not
            judged.
    """
    if observation.outcome != "completed":
        return False, observation.reason or f"the run was {observation.outcome}"
    if observation.paging.oom_kills:
        return False, f"the kernel killed {observation.paging.oom_kills} of its processes for memory"
    if _was_unheld(observation):
        held = format_bytes(observation.peak_pss_bytes)
        return False, f"nothing held it to the limit, and it took {held}: whether it would run cannot be told"
    share = refaulted_share(observation)
    if share is not None and share > MOST_REFAULTED_SHARE:
        where = " (counted over the whole machine)" if observation.paging.refaults_scope == "machine" else ""
        return False, (
            f"{share:.1%} of its weights were read again for each token{where}, above {MOST_REFAULTED_SHARE:.0%}:"
            " it ran by paging"
        )
    if _was_held_elsewhere(observation):
        held = format_bytes(observation.charged_elsewhere_bytes)
        return False, (
            f"{held} of the model were held by another process and not charged to the limit: whether it would run"
            " cannot be told (end the process that has the file mapped, or run it with --load-mode none)"
        )
    return _fast_enough(observation, unlimited_tokens_per_s)


def _fast_enough(observation: Observation, unlimited_tokens_per_s: Sequence[float]) -> tuple[bool, str]:
    speed = observation.decode_tokens_per_s
    if speed is None or not unlimited_tokens_per_s:
        return True, "it was neither killed nor paged; its speed is not judged"
    ratio = speed / unlimited_speed(unlimited_tokens_per_s)
    if ratio >= LEAST_SPEED:
        return True, f"neither killed nor paged, at {ratio:.0%} of its unlimited speed"
    slow = f"it decodes at {ratio:.0%} of its unlimited speed, below {LEAST_SPEED:.0%}"
    if agree(unlimited_tokens_per_s):
        return False, slow
    if is_slowed(observation):
        return False, f"{slow}, and reads pages again"
    why = "one run without a limit"
    if len(unlimited_tokens_per_s) > 1:
        told = " and ".join(
            f"{each:.3g}" for each in sorted(unlimited_tokens_per_s)[:: len(unlimited_tokens_per_s) - 1]
        )
        why = f"runs without a limit that differ ({told} tokens/s)"
    return True, f"it was neither killed nor paged; its speed is not judged: {ratio:.0%} of {why}"


def unlimited_speed(tokens_per_s: Sequence[float]) -> float:
    """What runs without a limit say together."""
    return statistics.median(tokens_per_s)


def agree(tokens_per_s: Sequence[float]) -> bool:
    """Whether at least two of these runs, and most of them, were about as fast."""
    middle = unlimited_speed(tokens_per_s)
    alike = sum(abs(each - middle) <= ALIKE * middle for each in tokens_per_s)
    return alike >= 2 and 2 * alike > len(tokens_per_s)


def is_slowed(observation: Observation) -> bool:
    """Whether so many pages were read again that this explains a low speed."""
    share = refaulted_share(observation)
    return share is not None and share > SLOWING_SHARE


def _was_held_elsewhere(observation: Observation) -> bool:
    """Whether a considerable part of the model lay in memory that the limit did not hold, and that it had no room for.

    The kernel charges a page of a file to whoever read it first. What another process has mapped can neither be dropped
    before the run nor is it charged to the run.
    """
    limit, elsewhere = observation.limit, observation.charged_elsewhere_bytes
    if limit.mechanism == "none" or limit.limit_bytes is None or elsewhere <= MOST_HELD_SHARE * limit.limit_bytes:
        return False
    charged = observation.peak_limit_bytes
    return charged is None or charged + elsewhere > limit.limit_bytes


def cannot_tell(observation: Observation) -> bool:
    """Whether a run that came to its end says nothing of its limit, which held it not at all or to too little."""
    share = refaulted_share(observation)
    if share is not None and share > MOST_REFAULTED_SHARE:
        return _was_unheld(observation)
    return _was_unheld(observation) or _was_held_elsewhere(observation)


def _was_unheld(observation: Observation) -> bool:
    """Whether it took more than a limit that nothing enforced: what that would have done to it is not known."""
    limit = observation.limit
    return (
        limit.mechanism == "none" and limit.limit_bytes is not None and observation.peak_pss_bytes > limit.limit_bytes
    )


def refaulted_share(observation: Observation) -> float | None:
    """The share of the weights that was read again for each token that was generated.

    One pass over the weights gives a token to every user. None where nothing was generated, or nobody counted.
    """
    if observation.paging.refaults_scope == "none":
        return None
    phases = [phase for phase in observation.phases if _generates(phase)]
    # the first round is told twice: as `decode`, and whole
    later = [phase for phase in phases if phase.name != "round 1"]
    passes = sum(phase.tokens for phase in later) / max(1, observation.workload.users)
    if not passes:
        return None
    refaulted_bytes = sum(phase.refaults for phase in phases) * PAGE_BYTES
    weights = sum(each.reserved_bytes for each in observation.buffers if each.term in ("weights", "draft"))
    return refaulted_bytes / passes / max(1, weights or observation.peak_pss_bytes)


def _generates(phase: Phase) -> bool:
    return phase.name == "decode" or phase.name.startswith("round ")
