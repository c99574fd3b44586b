"""The functional safety island: a processor of its own that watches over the others."""

from memfit.bsp.recipes._recipe import Cluster, Recipe

RECIPE = Recipe(
    name="safety island",
    need="",
    summary="the functional safety island (FSI)",
    cost="no functional safety island, which is a safety function",
    carveouts=("FSI", "FSI_CPU_NS"),
    cluster=Cluster(
        name="FSI",
        number=5,
        properties=(("enable_init", 0), ("enable_fw_load", 0), ("enable_unhalt", 0)),
        required=False,
        own=True,
    ),
    caution="nobody has published a boot of an AGX Orin without it; p3767 modules ship without it",
    source="tegra234-mb1-bct-misc-p3767-0000.dts of R36.2 includes tegra234-mb1-bct-disable-fsi-carveouts.dtsi",
)
