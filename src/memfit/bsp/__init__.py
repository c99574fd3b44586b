"""What only a reflash gives back: carveouts of a ``Linux_for_Tegra`` tree, audited, patched with proof, and undone.

A patch is texts in, texts out: the tree is compiled with the real ``cpp`` and ``dtc`` before and after, and nothing but
the recipe's nodes may differ. It is made as one transaction of ``memfit.agent`` with its journal in the tree.
"""

from memfit.bsp.audit import audit_tree
from memfit.bsp.boards import BSP_BOARDS
from memfit.bsp.patch import diff, patch, plan_patch, undo
from memfit.bsp.recipes import RECIPES
from memfit.bsp.records import STYLES, BspAudit, BspDiff, BspReceipt, Patch

__all__ = [
    "BSP_BOARDS",
    "RECIPES",
    "STYLES",
    "BspAudit",
    "BspDiff",
    "BspReceipt",
    "Patch",
    "audit_tree",
    "diff",
    "patch",
    "plan_patch",
    "undo",
]
