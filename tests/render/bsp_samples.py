"""A BSP tree's records for the tests of their views: made up, with sizes as an Orin Nano has them."""

import msgspec

from memfit.bsp.records import (
    BspAudit,
    BspDiff,
    BspReceipt,
    BspStep,
    CarveoutRow,
    FileEdit,
    Patch,
    Reclaimed,
)
from memfit.units import MIB

_MB1 = "bootloader/generic/BCT/tegra234-mb1-bct-misc-p3767-0000.dts"
_MB2 = "bootloader/tegra234-mb2-bct-common.dtsi"
_DTB = "kernel/dtb/tegra234-p3768-0000+p3767-0003-nv.dtb"
_FLASH = "sudo ./flash.sh jetson-orin-nano-devkit internal"

AUDIT = BspAudit(
    tree="Linux_for_Tegra",
    board="Orin Nano 8GB",
    module="p3767-0003",
    release="36.2.0",
    files=(_MB1, _MB2, _DTB),
    carveouts=(
        CarveoutRow(name="TZDRAM", bytes=64 * MIB, purpose="the secure world", stays="the secure world runs in it"),
        CarveoutRow(
            name="DISP_EARLY_BOOT_FB",
            aliases=("CCPLEX_SMMU_PTW",),
            bytes=34 * MIB,
            purpose="frame buffer at boot",
            recipe="display",
            need="display",
            can_go="yes",
        ),
        CarveoutRow(name="RCE", bytes=MIB, purpose="camera", recipe="camera", need="camera", can_go="needed"),
        CarveoutRow(name="ODD", bytes=None),
        CarveoutRow(name="VPR", bytes=0, purpose="protected video", recipe="protected video", can_go="gone"),
    ),
    sum_bytes=99 * MIB,
    kept_bytes=99 * MIB,
    published_bytes=34 * MIB,
)
HALF = msgspec.structs.replace(
    AUDIT,
    experimental_bytes=872 * MIB,
    half_done=("display still has /mb2-misc/auxp_controls@3",),
    warnings=("carrier.conf sets MB2_BCT to other.dts under a condition: memfit takes the usual file",),
)
NOTHING_PUBLISHED = msgspec.structs.replace(AUDIT, published_bytes=0, experimental_bytes=1048 * MIB, release=None)

_RECLAIMED = (
    Reclaimed(name="DISP_EARLY_BOOT_FB", recipe="display", before_bytes=34 * MIB, after_bytes=0),
    Reclaimed(name="RCE", recipe="camera", before_bytes=MIB, after_bytes=0),
)
_CAUTIONS = ("never flash from the board itself",)
_EDIT = FileEdit(
    path=_MB2,
    text=f"--- {_MB2}\n+++ {_MB2}\n@@ -1,2 +1,2 @@\n \tcluster {{\n-\t\tenable_init = <1>;\n+\t\tenable_init = <0>;",
    sha256_before="dd9ec17334e8" + "0" * 52,
    sha256_after="6895328da380" + "0" * 52,
    also_included_by=("tegra234-mb2-bct-misc-p3701-0000.dts",),
)
PATCH = Patch(
    tree="Linux_for_Tegra",
    board="Orin Nano 8GB",
    module="p3767-0003",
    style="edit",
    release="36.2.0",
    gives_up=("camera", "display"),
    left=(("bluetooth", "no carveout serves it"),),
    steps=(
        BspStep(
            recipe="display",
            target="/misc/carveout/aux_info@CARVEOUT_DISP_EARLY_BOOT_FB",
            does="34.0 MiB → 0",
            file=_MB1,
        ),
        BspStep(recipe="display", target="/mb2-misc/auxp_ast_config@6", does="not there", file=_MB2, done=True),
        BspStep(recipe="camera", target="/mb2-misc/auxp_ast_config@4", does="removed", file=_MB2, published=False),
    ),
    files=(_EDIT,),
    reclaimed=_RECLAIMED,
    reclaimed_bytes=35 * MIB,
    flash=_FLASH,
    cautions=_CAUTIONS,
)
NO_PATCH = Patch(
    tree="Linux_for_Tegra",
    board="AGX Orin 64GB",
    module="p3701-0005",
    style="override",
    left=(("display", "nobody has published it for p3701 modules: --experimental takes it"),),
)
RECEIPT = BspReceipt(
    id="0001-509c",
    state="applied",
    tree="Linux_for_Tegra",
    board="Orin Nano 8GB",
    style="edit",
    made="2026-11-29T15:54:33+00:00",
    gives_up=("camera", "display"),
    files=((_MB2, _EDIT.sha256_before, _EDIT.sha256_after),),
    reclaimed=_RECLAIMED,
    reclaimed_bytes=35 * MIB,
    flash=_FLASH,
    cautions=_CAUTIONS,
)
UNDONE = msgspec.structs.replace(RECEIPT, state="undone")
DIFF = BspDiff(
    tree="Linux_for_Tegra", receipts=(RECEIPT,), files=(_EDIT,), drift=(f"{_MB2}: somebody changed it since 0001-509c",)
)

BSP = {
    "bsp_audit": AUDIT,
    "bsp_audit_half_done": HALF,
    "bsp_audit_experimental": NOTHING_PUBLISHED,
    "patch": PATCH,
    "patch_of_nothing": NO_PATCH,
    "bsp_receipt": RECEIPT,
    "bsp_receipt_undone": UNDONE,
    "bsp_receipt_of_nothing": BspReceipt(id="", state="nothing to do", tree="Linux_for_Tegra"),
    "bsp_diff": DIFF,
    "bsp_diff_of_nothing": BspDiff(tree="Linux_for_Tegra"),
    "bsp_diff_interrupted": BspDiff(tree="Linux_for_Tegra", interrupted=("0001-509c",)),
}
