"""The protected region for video under digital rights management."""

from memfit.bsp.recipes._recipe import Recipe

RECIPE = Recipe(
    name="protected video",
    need="",
    summary="the video protected region (VPR)",
    cost="no playback of protected video",
    carveouts=("VPR",),
    caution="nobody has published a boot of an AGX Orin without it; p3767 modules ship without it",
    source="tegra234-mb1-bct-misc-p3767-0000.dts of R36.2 sets its size to 0",
)
