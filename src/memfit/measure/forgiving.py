"""A store whose failures cost a record and not the run: a full disk is no reason to throw away what was measured."""

from __future__ import annotations

from collections.abc import Iterator

from memfit.errors import MemfitError
from memfit.measure.records import Observation
from memfit.measure.store import Store


class Forgiving(Store):
    """Behaves as ``store``, and collects what goes wrong in ``warnings``.

    A run that could not be begun there gets the id 0 and is not kept.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.path)
        self._store = store
        self.warnings: list[str] = []

    def begin(self, observation: Observation) -> int:
        """See ``Store.begin``; 0 where it fails."""
        try:
            return self._store.begin(observation)
        except MemfitError as failure:
            self._warn("the run is not kept", failure)
            return 0

    def progress(self, number: int, observation: Observation) -> None:
        """See ``Store.progress``."""
        self._write(number, observation, ended=False)

    def finish(self, number: int, observation: Observation) -> None:
        """See ``Store.finish``."""
        self._write(number, observation, ended=True)

    def all(self, shape_digest: str | None = None) -> Iterator[Observation]:
        """See ``Store.all``; ends where something cannot be read."""
        try:
            yield from self._store.all(shape_digest)
        except MemfitError as failure:
            self._warn("earlier runs cannot be read", failure)

    def _write(self, number: int, observation: Observation, *, ended: bool) -> None:
        if not number:
            return
        try:
            (self._store.finish if ended else self._store.progress)(number, observation)
        except MemfitError as failure:
            self._warn(f"what run {number} showed is not kept", failure)

    def _warn(self, what: str, failure: MemfitError) -> None:
        self.warnings.append(f"{what}: {failure.message}")
