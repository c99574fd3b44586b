"""Whether a deployment runs under a limit: not merely whether it was not killed.

A mapped model "runs" in almost any memory, because the kernel drops pages of its weights and reads them again for
every token. On fast storage, or with the file cached elsewhere, that shows only as a number of refaults.
"""

from __future__ import annotations

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

LEAST_SPEED = 0.8
"""Of the decode speed without a limit."""


def runs(observation: Observation, unlimited_tokens_per_s: float | None) -> tuple[bool, str]:
    """Whether the deployment runs under the limit it was held to, and why or why not.

    It completed; the kernel killed nothing; while it generated, at most ``MOST_REFAULTED_SHARE`` of its weights were
    read again for each token; and it decoded at ``LEAST_SPEED`` of its unlimited speed at least.

    Args:
        observation: of the run under the limit.
        unlimited_tokens_per_s: decode speed of the same deployment without one; None where it is not known, and then
            speed is not judged.
    """
    if observation.outcome != "completed":
        return False, observation.reason or f"the run was {observation.outcome}"
    if observation.paging.oom_kills:
        return False, f"the kernel killed {observation.paging.oom_kills} of its processes for memory"
    if was_unheld(observation):
        held = format_bytes(observation.peak_pss_bytes)
        return False, f"nothing held it to the limit, and it took {held}: whether it would run cannot be told"
    share = refaulted_share(observation)
    if share is not None and share > MOST_REFAULTED_SHARE:
        where = " (counted over the whole machine)" if observation.paging.refaults_scope == "machine" else ""
        return False, (
            f"{share:.1%} of its weights were read again for each token{where}, above {MOST_REFAULTED_SHARE:.0%}:"
            " it ran by paging"
        )
    speed = observation.decode_tokens_per_s
    if speed is None or not unlimited_tokens_per_s:
        return True, "it was neither killed nor paged; its speed is not judged"
    ratio = speed / unlimited_tokens_per_s
    if ratio < LEAST_SPEED:
        return False, f"it decodes at {ratio:.0%} of its unlimited speed, below {LEAST_SPEED:.0%}"
    return True, f"neither killed nor paged, at {ratio:.0%} of its unlimited speed"


def was_unheld(observation: Observation) -> bool:
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
