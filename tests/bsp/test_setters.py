"""Other patches of the same nodes, in files that the board's own includes and by references: refused by their line."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_tree import BCT, COMMON, MB1, MB2, Fixture, contents, make_tree, require_tools

from memfit.bsp import patch, plan_patch
from memfit.bsp._setters import setters, setters_of
from memfit.bsp.layout import find_layout
from memfit.bsp.merged import merge
from memfit.errors import ApplyError
from memfit.units import MIB

ORIN_NANO = "p3767-0003"
VENDOR = f"{BCT}/vendor.dtsi"
L4T = f"{BCT}/tegra234-mb1-bct-carveout-l4t.dtsi"
AFTER = '#include "tegra234-mb1-bct-disable-fsi-carveouts.dtsi"\n'
SIXTEEN = "size = <0x0 0x1000000>;"


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


def refused(tree: Fixture, *words: str) -> None:
    before = contents(tree)
    for style in ("override", "edit"):
        with pytest.raises(ApplyError) as caught:
            patch(str(tree.root), ORIN_NANO, style=style)
        told = f"{caught.value.message} {caught.value.hint}"
        assert not [word for word in words if word not in told], told
    assert contents(tree) == before


@pytest.mark.parametrize(
    "text",
    [
        f"/ {{ misc {{ carveout {{\naux_info@CARVEOUT_CAMERA_TASKLIST {{ {SIXTEEN} }}; }}; }}; }};\n",
        f"\n&camera {{ {SIXTEEN} }};\n",
        f"\n&{{/misc/carveout/aux_info@CARVEOUT_CAMERA_TASKLIST}} {{ {SIXTEEN} }};\n",
        f"&all {{\naux_info@24 {{ {SIXTEEN} }}; }};\n",
    ],
)
def test_a_vendors_include_has_its_own_size(tree: Fixture, text: str) -> None:
    """85 MiB would have been won without a word, and the vendor's wish gone."""
    tree.change(L4T, "aux_info@CARVEOUT_CAMERA_TASKLIST", "camera: aux_info@CARVEOUT_CAMERA_TASKLIST")
    tree.change(L4T, "carveout {", "all: carveout {")
    tree.write(VENDOR, text)
    tree.change(MB1, AFTER, f'{AFTER}#include "vendor.dtsi"\n')
    refused(tree, f"{VENDOR}, line 2", "aux_info@CARVEOUT_CAMERA_TASKLIST", "--needs camera")
    assert plan_patch(str(tree.root), ORIN_NANO, ["camera"]).reclaimed_bytes == 68 * MIB


def test_a_reference_in_the_boards_own_file(tree: Fixture) -> None:
    tree.change(L4T, "aux_info@CARVEOUT_CAMERA_TASKLIST", "camera: aux_info@CARVEOUT_CAMERA_TASKLIST")
    line = tree.text(MB1).count("\n") + 1
    tree.add(MB1, f"&camera {{ {SIXTEEN} }};\n")
    refused(tree, f"{MB1}, line {line}", "--needs camera")


def test_a_vendors_include_has_its_own_cluster_or_translation(tree: Fixture) -> None:
    for label, node in (("rce", "auxp_controls@2"), ("ast", "auxp_ast_config@4"), ("in", "auxp_ast_config@5")):
        other = make_tree(tree.root.parent / label)
        other.change(COMMON, f"{node} {{", f"{label}: {node} {{")
        below = "ast_region@0 { size = <1>; };" if label == "in" else "more = <1>;"
        other.write(VENDOR, f"\n&{label} {{ {below} }};\n")
        other.change(MB2, '.dtsi"\n', '.dtsi"\n#include "vendor.dtsi"\n')
        refused(other, f"{VENDOR}, line 2", node, "--needs camera")


def test_every_place_of_a_node_by_its_file_and_line(tree: Fixture) -> None:
    layout = find_layout(str(tree.root), ORIN_NANO)
    found = setters_of(setters(merge(layout.root, layout.mb1, layout.includes)), "/misc/carveout/aux_info@44")
    assert [one.file for one in found] == [L4T, MB1]
    for one in found:
        assert "aux_info@CARVEOUT_VPR" in tree.text(one.file).splitlines()[one.line - 1]
