"""One run in the store, from its beginning on: what memfit does not survive is there up to the last phase."""

from __future__ import annotations

import contextlib
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

    def progress(self, observation: Observation) -> None:
        """Write what is known so far; a store that has become full ends no run, and may have room again later."""
        now = time.monotonic()
        pause_s = max(_PAUSE_S, _PAUSE_SHARE * observation.duration_s)
        if observation.phases[-1].name.startswith("round ") and now - self._written_s < pause_s:
            return
        self._written_s = now
        with contextlib.suppress(MeasureError):
            self._store.progress(self._number, observation)

    def finish(self, observation: Observation) -> Observation:
        """Write how it ended, and give it its number; where that fails it has none, and the note of its limit says so.

        What stands in the store is then at most how far it came: another run than this one, as far as anybody can tell.
        """
        numbered = msgspec.structs.replace(observation, id=self._number)
        try:
            self._store.finish(self._number, numbered)
        except MeasureError as error:
            problem = f"not kept: {error.message}"
        else:
            return numbered
        note = "; ".join(part for part in (observation.limit.note, problem) if part)
        return msgspec.structs.replace(observation, limit=msgspec.structs.replace(observation.limit, note=note))
