"""A verification as it may be told to others: its figures, and nothing of the machine's folders."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.measure.records import Verification


def shareable(one: Verification, path: Path) -> Verification:
    """Without paths, without what the engine printed, and without ten samples a second."""
    nameless = msgspec.structs.replace(one.observation.deployment, model=path.name)
    observation = msgspec.structs.replace(one.observation, id=0, deployment=nameless, samples=(), said="")
    predicted = msgspec.structs.replace(
        one.predicted, deployment=msgspec.structs.replace(one.predicted.deployment, model=path.name), warnings=()
    )
    return msgspec.structs.replace(one, observation=observation, predicted=predicted)
