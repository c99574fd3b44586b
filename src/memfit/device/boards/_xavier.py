"""What the Xavier boards have in common."""

from __future__ import annotations

from memfit.device.boards._board import Figure, datasheet, power_table

VOLTA = Figure("Volta", "source", "tegra194 (GV11B) in the device trees of L4T")
CAPABILITY = Figure("7.2", "source", "CUDA architecture of Tegra194 in OE4T/meta-tegra")
INSTRUCTIONS: Figure[tuple[str, ...]] = datasheet(("neon",), "Carmel is ARMv8.2 without the dot product extension")
DLAS = datasheet(2)
PVAS = datasheet(2)

_FILES = "NVIDIA's file of this name (R35), in LineageOS/android_device_nvidia_galen"
AGX_POWER = power_table(
    "t194",
    _FILES,
    *("MAXN", "MODE_10W", "MODE_15W", "MODE_30W_ALL", "MODE_30W_6CORE", "MODE_30W_4CORE", "MODE_30W_2CORE"),
    "MODE_15W_DESKTOP",
    default_id=7,
)
NX_POWER = power_table(
    "t194_p3668",
    _FILES,
    *("MODE_15W_2CORE", "MODE_15W_4CORE", "MODE_15W_6CORE", "MODE_10W_2CORE", "MODE_10W_4CORE", "MODE_10W_DESKTOP"),
    *("MODE_20W_2CORE", "MODE_20W_4CORE", "MODE_20W_6CORE"),
    default_id=5,
)
