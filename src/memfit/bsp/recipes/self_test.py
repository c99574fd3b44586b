"""The in-system test of the CPU cluster."""

from memfit.bsp.recipes._recipe import Recipe

RECIPE = Recipe(
    name="self-test",
    need="",
    summary="the CPU cluster's in-system test (IST)",
    cost="no in-system test of the CPU, which is a safety function",
    carveouts=("CCPLEX_IST",),
    caution="nobody has published a boot of an AGX Orin without it; p3767 modules ship without it since R36",
    source="tegra234-mb1-bct-misc-p3767-0000.dts of R36.2 sets its size to 0",
)
