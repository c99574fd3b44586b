"""Well-known models, one file each: their shapes without their weights."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.cards._card import Card

CARDS: Catalog[Card] = Catalog(__name__, Path(__file__).parent, constant="CARD", kind="model", type=Card)

__all__ = ["CARDS", "Card"]
