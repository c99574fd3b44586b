"""Fans that Linux drives."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.thermal import FAN_PATHS, read_fans

FACT = Fact(paths=FAN_PATHS, read=read_fans, provides="fans with duty cycle and speed")
