"""NvMap's clients, page pool, and what it could still give."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.nvmap import PATHS, read_nvmap

FACT = Fact(paths=PATHS, read=read_nvmap, provides="who holds NvMap memory, and how much is left")
