"""The camera processor's firmware and its task lists."""

from memfit.bsp.recipes._recipe import NOTES, Cluster, Recipe

RECIPE = Recipe(
    name="camera",
    need="camera",
    summary="the camera processor's firmware (RCE) and its task lists",
    cost="no CSI camera",
    carveouts=("CAMERA_TASKLIST", "RCE"),
    cluster=Cluster(
        name="RCE",
        number=2,
        properties=(("enable_init", 0), ("enable_fw_load", 0), ("enable_unhalt", 0)),
    ),
    translations=(4, 5),
    translations_published=False,
    published_for=("p3767",),
    caution="the notes leave the camera processor's address translation in place; memfit removes it, and no boot of "
    "that was published",
    source=f"{NOTES}, note 2",
)
