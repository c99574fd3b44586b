"""Which models take part: the catalog's, and those that lie on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memfit.fit.sizes import ModelSizes, table
from memfit.model._build import shape_of
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape


@dataclass(frozen=True)
class Candidate:
    """A model that may be shown.

    Attributes:
        name: as people know it, or where it lies.
        key: of its card.
        card: its hyperparameters and what it is for.
        sizes: its figures in every format.
    """

    name: str
    key: str
    card: Card
    sizes: ModelSizes

    def shape(self) -> ModelShape:
        """Its layers, without tensors."""
        return shape_of(self.card.hyperparameters(), (), name=self.name)


def of_catalog() -> Iterator[Candidate]:
    """Every model of the catalog that is in the table."""
    models = table().models
    for key, card in CARDS.items():
        if key in models:
            yield Candidate(name=card.name, key=key, card=card, sizes=models[key])


def serves(card: Card, needs: tuple[str, ...]) -> bool:
    """Whether a model is published for one of these uses; any, where there are none."""
    return not needs or any(use in card.uses for use in needs)
