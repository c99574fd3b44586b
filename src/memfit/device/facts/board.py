"""Which board it is."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.identity import PATHS, read_identity

FACT = Fact(paths=PATHS, read=read_identity, provides="the board, by part number")
