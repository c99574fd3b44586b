"""The display controller's firmware, its frame buffer at boot, and the display itself."""

from memfit.bsp.recipes._recipe import NOTES, Cluster, KernelNode, Recipe

RECIPE = Recipe(
    name="display",
    need="display",
    summary="the display controller's firmware (DCE) and the frame buffer at boot",
    cost="no display output, neither at boot nor later",
    carveouts=("DCE_TSEC", "DCE", "DISP_EARLY_BOOT_FB", "TSEC_DCE"),
    also=("BPMP_DCE",),
    cluster=Cluster(
        name="DCE",
        number=3,
        properties=(("enable_init", 0), ("enable_fw_load", 0), ("enable_unhalt", 0), ("reset_vector", 0x40000000)),
    ),
    translations=(6, 7),
    kernel=(KernelNode(compatible="nvidia,tegra234-display", path="/display@13800000"),),
    published_for=("p3767",),
    source=f"{NOTES}, note 1",
)
