"""What a model is for, where no card of the catalog was asked for by its name: by its kind, and by the card it has."""

from __future__ import annotations

from memfit.fit.uses import Use
from memfit.model.cards import CARDS
from memfit.model.shape import ModelShape

_OWN_KIND = frozenset(("speech", "embedding"))  # uses that only models of a kind of their own serve


def serves(shape: ModelShape, use: Use) -> bool:
    """Whether a file or a folder may serve a use: of a text model without a card nobody knows, so it may."""
    if shape.kind in _OWN_KIND:
        return shape.kind in use.needs
    if shape.towers and "vision" in use.needs:
        return True
    if shape.name in CARDS:
        return bool(set(use.needs) & set(CARDS.get(shape.name).uses))
    return not set(use.needs) <= _OWN_KIND
