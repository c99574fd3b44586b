"""The power mode and its alternatives."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.nvpmodel import PATHS, read_power

FACT = Fact(paths=PATHS, read=read_power, provides="the power mode by name, and what else there is")
