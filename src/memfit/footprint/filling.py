"""How much of a deployment a workload fills, which decides what of its reservation is touched."""

from __future__ import annotations

from typing import Literal, NamedTuple

from memfit.engine.records import Options, Workload

Filled = Literal["context", "ubatch", "part"]


class Filling(NamedTuple):
    """The whole context, a whole ubatch, or a part of one: ``prompt_tokens`` of all users together, else 0."""

    filled: Filled
    prompt_tokens: int = 0


def filling_of(workload: Workload, options: Options, trained_tokens: int) -> Filling:
    """What a workload fills.

    Args:
        workload: what is sent.
        options: of the engine.
        trained_tokens: the model's context, where the options do not say.
    """
    if workload.fill_context:
        return Filling("context")
    ubatch = min(options.ubatch_tokens or options.batch_tokens, options.context_tokens or trained_tokens)
    sent = workload.prompt_tokens * workload.users
    return Filling("part", sent) if 0 < sent < ubatch else Filling("ubatch")
