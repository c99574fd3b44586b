"""Command line, slot, Secure Boot and root device."""

from __future__ import annotations

from memfit.device.boot import PATHS, read_boot
from memfit.device.facts._fact import Fact

FACT = Fact(paths=PATHS, read=read_boot, provides="how it booted")
