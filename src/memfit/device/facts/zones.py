"""Temperatures."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.thermal import PATHS, read_zones

FACT = Fact(paths=PATHS, read=read_zones, provides="temperatures by thermal zone")
