"""A store whose failures cost a record and not the run: a full disk is no reason to throw away what was measured."""

from __future__ import annotations

from collections.abc import Iterator

from memfit.errors import MemfitError
from memfit.measure.records import Observation
from memfit.measure.store import Store


class BestEffort(Store):
    """Behaves as ``store``, and collects what goes wrong in ``problems``, one sentence each.

    A run that could not be begun there gets the id 0, and nothing of it is written. How a run ended must not be lost in
    silence, so ``finish`` fails all the same: ``Keeping`` says it in the record.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.path)
        self._store = store
        self.problems: list[str] = []

    def begin(self, observation: Observation) -> int:
        """As ``Store.begin``; 0 where it cannot be kept."""
        try:
            return self._store.begin(observation)
        except MemfitError as failure:
            self._note("the run is not kept", failure)
            return 0

    def progress(self, number: int, observation: Observation) -> None:
        """As ``Store.progress``."""
        if number:
            self._store.progress(number, observation)

    def finish(self, number: int, observation: Observation) -> None:
        """As ``Store.finish``."""
        if not number:
            return
        try:
            self._store.finish(number, observation)
        except MemfitError as failure:
            self._note(f"what run {number} showed is not kept", failure)
            raise

    def all(self, shape_digest: str | None = None) -> Iterator[Observation]:
        """As ``Store.all``, up to the first run that cannot be read."""
        try:
            yield from self._store.all(shape_digest)
        except MemfitError as failure:
            self._note("earlier runs cannot be read", failure)

    def _note(self, what: str, failure: MemfitError) -> None:
        hint = f" ({failure.hint})" if failure.hint else ""
        problem = f"{what}: {failure.message}{hint}"
        if problem not in self.problems:
            self.problems.append(problem)
