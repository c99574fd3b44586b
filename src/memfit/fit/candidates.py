"""Which models take part: the catalog's, by use or by name, and those that lie somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memfit.fit.sizes import ModelSizes, table
from memfit.model._build import shape_of
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape
from memfit.model.speech import SPEECH


@dataclass(frozen=True)
class Candidate:
    """A model of the catalog with its figures in every format."""

    name: str
    card: Card
    sizes: ModelSizes

    def shape(self) -> ModelShape:
        """Its layers, without tensors."""
        return shape_of(self.card.hyperparameters(), (), name=self.name)


def chosen(models: Sequence[str], needs: Sequence[str]) -> tuple[list[Candidate], int]:
    """The models of the catalog that are named, or else those for one of these uses; and how many are for others."""
    if models:
        wanted = {CARDS.get(name).name for name in models if name in CARDS}
        return [one for one in _all() if one.name in wanted], 0
    every = _all()
    serving = [one for one in every if not needs or any(use in one.card.uses for use in needs)]
    return serving, len(every) - len(serving)


def others(models: Sequence[str]) -> list[str]:
    """Names that are not of the catalog: files, folders, places; or nothing, which reading them will tell."""
    return [name for name in models if name not in CARDS and name not in SPEECH]


def _all() -> list[Candidate]:
    sizes = table().models
    return [Candidate(name=card.name, card=card, sizes=sizes[key]) for key, card in CARDS.items() if key in sizes]
