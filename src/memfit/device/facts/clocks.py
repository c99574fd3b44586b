"""Clocks of CPU, GPU and memory."""

from __future__ import annotations

from memfit.device.clocks import PATHS, read_clocks
from memfit.device.facts._fact import Fact

FACT = Fact(paths=PATHS, read=read_clocks, provides="clocks and their ranges")
