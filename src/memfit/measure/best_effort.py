"""A store that nothing depends on: a full disk costs the record of a run, and not the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from memfit.errors import MemfitError
from memfit.measure.records import Observation
from memfit.measure.store import Store


class BestEffortStore(Store):
    """A store whose failures end no run: they stand in ``problems``, one sentence each, and what failed is not kept."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path)
        self.problems: list[str] = []

    def begin(self, observation: Observation) -> int:
        """As ``Store.begin``; 0 where it cannot be kept."""
        try:
            return super().begin(observation)
        except MemfitError as failure:
            self._note("the run is not kept", failure)
            return 0

    def progress(self, number: int, observation: Observation) -> None:
        """As ``Store.progress``."""
        if number:
            self._try(number, observation, ended=False)

    def finish(self, number: int, observation: Observation) -> None:
        """As ``Store.finish``; a run that could not begin is not tried again."""
        if number:
            self._try(number, observation, ended=True)

    def all(self, shape_digest: str | None = None) -> Iterator[Observation]:
        """As ``Store.all``, up to the first run that cannot be read."""
        try:
            yield from super().all(shape_digest)
        except MemfitError as failure:
            self._note("earlier runs cannot be read", failure)

    def _try(self, number: int, observation: Observation, *, ended: bool) -> None:
        try:
            (super().finish if ended else super().progress)(number, observation)
        except MemfitError as failure:
            self._note(f"what run {number} showed is not kept", failure)

    def _note(self, what: str, failure: MemfitError) -> None:
        hint = f" ({failure.hint})" if failure.hint else ""
        problem = f"{what}: {failure.message}{hint}"
        if problem not in self.problems:
            self.problems.append(problem)
