"""Power by rail."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.rails import PATHS, read_rails

FACT = Fact(paths=PATHS, read=read_rails, provides="power by rail")
