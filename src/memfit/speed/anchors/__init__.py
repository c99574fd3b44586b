"""Published speeds on boards, one file each source. Nothing here was measured for this project."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.speed.anchors._stored import WEIGHT_FORMATS, WeightFormat, anchor_math, anchor_shape, anchor_touched
from memfit.speed.records import AnchorSource

SOURCES: Catalog[AnchorSource] = Catalog(
    __name__, Path(__file__).parent, constant="SOURCE", kind="source of speeds", type=AnchorSource
)

__all__ = ["SOURCES", "WEIGHT_FORMATS", "AnchorSource", "WeightFormat", "anchor_math", "anchor_shape", "anchor_touched"]
