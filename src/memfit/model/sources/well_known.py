"""A well-known model by the name of its card."""

from __future__ import annotations

from memfit.model._build import card_shape
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape
from memfit.model.sources._source import Source

USUAL_PRESET = "Q4_K_M"


def _takes(name: str) -> bool:
    return name in CARDS


def _shape(name: str, format: str | None, known_only: bool) -> ModelShape:
    return card_shape(CARDS.get(name), format or USUAL_PRESET)


def _card(name: str) -> Card | None:
    return CARDS.get(name)


SOURCE = Source(summary="name of a well-known model, Llama-3.2-3B", place=30, takes=_takes, shape=_shape, card=_card)
