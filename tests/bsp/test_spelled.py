"""Numbers of nodes spelled in other ways, and nodes below those that a patch writes anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_tree import BCT, COMMON, MB1, MB2, Fixture, contents, make_tree, require_tools, sizes

from memfit.bsp import audit_tree, patch, plan_patch, undo
from memfit.bsp._addresses import number_of, readings
from memfit.bsp.fdt import Blob
from memfit.bsp.layout import find_layout
from memfit.bsp.merged import merge
from memfit.errors import MemfitError, ProbeError
from memfit.units import MIB

ORIN_NANO = "p3767-0003"
L4T = f"{BCT}/tegra234-mb1-bct-carveout-l4t.dtsi"
STYLES = pytest.mark.parametrize("style", ["override", "edit"])


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


def mb2(tree: Fixture) -> Blob:
    layout = find_layout(str(tree.root), ORIN_NANO)
    return merge(layout.root, layout.mb2, layout.includes).root


def refused(tree: Fixture, error: type[MemfitError], *words: str) -> None:
    before = contents(tree)
    for style in ("override", "edit"):
        with pytest.raises(error) as caught:
            patch(str(tree.root), ORIN_NANO, style=style)
        told = f"{caught.value.message} | {caught.value.hint}"
        assert not [word for word in words if word not in told], told
    assert contents(tree) == before


def test_what_a_number_may_stand_for() -> None:
    same = ("44", "0x2c", "0X2C", "0x2C", "0x002c")
    assert {number_of(unit) for unit in same} == {44}
    assert readings("044") == {44, 36}
    assert (number_of("044"), number_of("08"), number_of("03"), number_of("0")) == (None, 8, 3, 0)
    assert {number_of(unit) for unit in ("", "2c", "x", "9" * 5000, "CARVEOUT_VPR", "0x", "٤")} == {None}


@STYLES
@pytest.mark.parametrize("spelled", ["0x18", "0X18", "0x018"])
def test_a_carveout_of_another_spelling_is_the_same(tree: Fixture, style: str, spelled: str) -> None:
    tree.change(L4T, "aux_info@CARVEOUT_CAMERA_TASKLIST", f"aux_info@{spelled}")
    files, before = contents(tree), sizes(tree, MB1)
    rows = {row.name: row for row in audit_tree(str(tree.root), ORIN_NANO).carveouts}
    assert (rows["CAMERA_TASKLIST"].can_go, rows["CAMERA_TASKLIST"].bytes) == ("yes", 32 * MIB)
    receipt = patch(str(tree.root), ORIN_NANO, style=style)
    after = sizes(tree, MB1)
    assert (before[spelled], after[spelled]) == (32 * MIB, 0)
    assert "24" not in after
    assert sum(before.values()) - sum(after.values()) == 101 * MIB == receipt.reclaimed_bytes
    assert plan_patch(str(tree.root), ORIN_NANO, style=style).files == ()
    assert audit_tree(str(tree.root), ORIN_NANO).half_done == ()
    undo(str(tree.root))
    assert contents(tree) == files


@STYLES
def test_a_header_that_spells_its_numbers_otherwise(tree: Fixture, style: str) -> None:
    tree.change("bootloader/tegrabl_carveout_id.h", "CAMERA_TASKLIST\t\t24", "CAMERA_TASKLIST\t\t0x18")
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    assert sizes(tree, MB1)["0x18"] == 0


def test_one_carveout_in_two_spellings_is_refused_by_both_lines(tree: Fixture) -> None:
    tree.change(MB1, "\t\tcarveout {\n", "\t\tcarveout {\n\t\t\taux_info@0x18 { size = <0x0 0x1000000>; };\n")
    refused(tree, ProbeError, f"{MB1}, line 19: aux_info@0x18 is aux_info@24 of {L4T}, line ", "write both as")
    found = audit_tree(str(tree.root), ORIN_NANO)
    assert found.published_bytes == 68 * MIB
    assert any("camera cannot be given up here" in warning for warning in found.warnings)
    assert patch(str(tree.root), ORIN_NANO, ["camera"]).reclaimed_bytes == 68 * MIB


def test_a_number_that_is_another_one_to_base_8_is_refused(tree: Fixture) -> None:
    tree.change(L4T, "aux_info@CARVEOUT_CAMERA_TASKLIST", "aux_info@024")
    refused(tree, ProbeError, f"{L4T}, line ", "aux_info@024 may be 20 or 24", "aux_info@24")


@STYLES
@pytest.mark.parametrize("zero", ["0x", "0X", "0", "0x0"])
def test_clusters_and_translations_of_another_spelling(tree: Fixture, style: str, zero: str) -> None:
    plain = make_tree(tree.root.parent / "plain")
    patch(str(plain.root), ORIN_NANO, style=style)
    text = tree.text(COMMON)
    for node in ("auxp_controls@2", "auxp_controls@3", "auxp_ast_config@4", "auxp_ast_config@7"):
        text = text.replace(f"{node} {{", f"{node[:-1]}{zero}{node[-1]} {{")
    tree.write(COMMON, text)
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    spelled = {node.path.replace(f"@{zero}", "@"): node.properties for node in mb2(tree).walk()}
    assert spelled == {node.path.replace(f"@{zero}", "@"): node.properties for node in mb2(plain).walk()}
    assert plan_patch(str(tree.root), ORIN_NANO).files == ()


def test_a_cluster_in_two_spellings(tree: Fixture) -> None:
    tree.change(MB2, "\t\teeprom {", "\t\tauxp_controls@0x2 { enable_unhalt = <1>; };\n\t\teeprom {")
    refused(tree, ProbeError, f"{MB2}, line 7: auxp_controls@0x2 is auxp_controls@2", COMMON)


@STYLES
def test_a_cluster_that_others_refer_to_is_kept(tree: Fixture, style: str) -> None:
    tree.change(COMMON, "auxp_controls@3 {", "dce: auxp_controls@3 {")
    tree.change(COMMON, "enable_sce = <1>;", "enable_sce = <1>;\n\t\tuses = <&dce>;")
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    node = mb2(tree).at("/mb2-misc/auxp_controls@3")
    assert node is not None
    assert (node.properties["enable_unhalt"], "phandle" in node.properties) == (bytes(4), True)


@STYLES
def test_what_is_below_a_cluster_stays(tree: Fixture, style: str) -> None:
    last = "\t\t\treset_vector = <0x40000000>;\n"
    tree.change(COMMON, last, f"{last}\t\t\tlevel = <3>;\n\t\t\tclocks {{\n\t\t\t\trate = <7>;\n\t\t\t}};\n")
    files = contents(tree)
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    node = mb2(tree).at("/mb2-misc/auxp_controls@3")
    assert node is not None
    assert node.properties == {
        "enable_init": bytes(4),
        "enable_fw_load": bytes(4),
        "enable_unhalt": bytes(4),
        "reset_vector": b"\x40\0\0\0",
    }
    assert [(inner.name, inner.properties) for inner in node.children] == [("clocks", {"rate": b"\0\0\0\7"})]
    assert plan_patch(str(tree.root), ORIN_NANO).files == ()
    undo(str(tree.root))
    assert contents(tree) == files


def test_an_entry_that_also_maps_anothers_memory_is_refused(tree: Fixture) -> None:
    more = "auxp_ast_config@6 {\n\t\t\tast_region@1 {\n\t\t\t\tcarveout = <CARVEOUT_APE>;\n\t\t\t};"
    tree.change(COMMON, "auxp_ast_config@6 {", more)
    refused(tree, ProbeError, "/mb2-misc/auxp_ast_config@6 maps carveout 7 as well as display's", "--needs display")
