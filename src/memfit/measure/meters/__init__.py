"""Meters, one file each: what is read of a run while it lasts. Their names are those of the files."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.measure.meters._meter import Meter, Reader, Series, Values, Watched

METERS: Catalog[Meter] = Catalog(__name__, Path(__file__).parent, constant="METER", kind="meter", type=Meter)

__all__ = ["METERS", "Meter", "Reader", "Series", "Values", "Watched"]
