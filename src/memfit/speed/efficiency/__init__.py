"""What each engine makes of each chip: one file an engine, written by ``tools/fit_speed.py`` from the anchors."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.efficiency._find import KERNELS_OF, TAKEN_OVER_ERROR, efficiency_of

EFFICIENCIES: Catalog[EngineEfficiency] = Catalog(
    __name__, Path(__file__).parent, constant="EFFICIENCY", kind="engine", type=EngineEfficiency
)

__all__ = ["EFFICIENCIES", "KERNELS_OF", "TAKEN_OVER_ERROR", "EngineEfficiency", "efficiency_of"]
