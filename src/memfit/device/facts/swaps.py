"""Swap areas and zram."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.swaps import PATHS, read_swaps

FACT = Fact(paths=PATHS, read=read_swaps, provides="swap areas, and what zram costs")
