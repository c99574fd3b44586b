"""What the Xavier boards have in common."""

from __future__ import annotations

from memfit.device.boards._board import Figure, datasheet

VOLTA = Figure("Volta", "source", "tegra194 (GV11B) in the device trees of L4T")
CAPABILITY = Figure("7.2", "source", "CUDA architecture of Tegra194 in OE4T/meta-tegra")
INSTRUCTIONS: Figure[tuple[str, ...]] = datasheet(("neon",), "Carmel is ARMv8.2 without the dot product extension")
DLAS = datasheet(2)
PVAS = datasheet(2)
