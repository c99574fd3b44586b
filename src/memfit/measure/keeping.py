"""One run in the store, from its beginning on: what memfit does not survive is there up to the last phase."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from memfit.errors import MeasureError
from memfit.measure.records import Observation

if TYPE_CHECKING:
    from memfit.measure.store import Store

# between two rounds of a soak that are written: every write reaches the medium before the run goes on, and holds all
# rounds before it, so that a long soak is written less and less often
_PAUSE_S = 5.0
_PAUSE_SHARE = 0.02


class Keeping:
    """A run that is being kept.

    Args:
        store: where.
        observation: of a run that is about to start.

    Raises:
        MeasureError: the store cannot be written.
    """

    def __init__(self, store: Store, observation: Observation) -> None:
        self._store = store
        self._number = store.begin(observation)
        self._written_s = 0.0
        self._problem = ""

    def progress(self, observation: Observation) -> None:
        """Write what is known so far; a store that has become full ends no run."""
        now = time.monotonic()
        pause_s = max(_PAUSE_S, _PAUSE_SHARE * observation.duration_s)
        if observation.phases[-1].name.startswith("round ") and now - self._written_s < pause_s:
            return
        self._written_s = now
        try:
            self._store.progress(self._number, observation)
        except MeasureError as error:
            self._problem = error.message

    def finish(self, observation: Observation) -> Observation:
        """Write how it ended, and give it its number; where that fails the note of its limit says so."""
        observation = msgspec.structs.replace(observation, id=self._number)
        try:
            self._store.finish(self._number, observation)
        except MeasureError as error:
            self._problem = error.message
        else:
            return observation
        note = "; ".join(part for part in (observation.limit.note, f"not kept: {self._problem}") if part)
        return msgspec.structs.replace(observation, limit=msgspec.structs.replace(observation.limit, note=note))
