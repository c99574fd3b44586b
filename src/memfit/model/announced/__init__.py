"""Models known by name and published size alone, one file each: what is known, and why there is no card."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.announced._announced import Announced

ANNOUNCED: Catalog[Announced] = Catalog(
    __name__, Path(__file__).parent, constant="MODEL", kind="announced model", type=Announced
)

__all__ = ["ANNOUNCED", "Announced"]
