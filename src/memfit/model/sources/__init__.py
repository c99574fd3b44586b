"""The ways of naming a model, one file each; the first that takes a name answers."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.sources._source import Source

SOURCES: Catalog[Source] = Catalog(__name__, Path(__file__).parent, constant="SOURCE", kind="source", type=Source)

__all__ = ["SOURCES", "Source"]
