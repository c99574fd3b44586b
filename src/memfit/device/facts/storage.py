"""File systems, their space and what kind of device holds them."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.mounts import PATHS, read_storage

FACT = Fact(paths=PATHS, read=read_storage, provides="file systems with their space and kind of device")
