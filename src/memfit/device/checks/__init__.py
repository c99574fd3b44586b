"""The preflight list, one item a file: what it asks, how it judges, and the command that mends it."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.device.checks._item import Findings, Item

CHECKS: Catalog[Item] = Catalog(__name__, Path(__file__).parent, constant="CHECK", kind="check", type=Item)

__all__ = ["CHECKS", "Findings", "Item"]
