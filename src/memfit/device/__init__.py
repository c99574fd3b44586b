"""Read a machine's memory facts, or take them from a board's data sheet."""

from memfit.device.find import find_device
from memfit.device.machine import this_machine
from memfit.device.records import Device

__all__ = ["Device", "find_device", "this_machine"]
