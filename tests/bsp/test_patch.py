"""Patches of a tree with the layout of R36.2: what they give, by the real cpp and dtc, and the way back to the byte."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fixture_tree import (
    BCT,
    COMMON,
    DTB,
    MB1,
    MB1_AGX,
    MB2,
    MB2_AGX,
    Fixture,
    contents,
    make_tree,
    note_1,
    require_tools,
    sizes,
    write_kernel,
)

from memfit.bsp import BspAudit, BspDiff, BspReceipt, Patch, audit_tree, diff, patch, plan_patch, undo
from memfit.bsp.fdt import Blob, read_blob
from memfit.bsp.layout import find_layout
from memfit.bsp.merged import merge
from memfit.render import render
from memfit.units import MIB

ORIN_NANO = "p3767-0003"
AGX = "p3701-0005"


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


def compiled(tree: Fixture, board: str = ORIN_NANO) -> list[dict[str, dict[str, bytes]]]:
    """Both boot configurations as nodes by path; the order of nodes says nothing."""
    layout = find_layout(str(tree.root), board)
    return [by_path(merge(layout.root, main, layout.includes).root) for main in (layout.mb1, layout.mb2)]


def by_path(blob: Blob) -> dict[str, dict[str, bytes]]:
    return {node.path: node.properties for node in blob.walk()}


def display(tree: Fixture, file: str = DTB) -> bytes:
    node = read_blob(tree.file(file).read_bytes(), file).at("/display@13800000")
    assert node is not None
    return node.properties["status"]


def test_headless_and_without_a_camera_is_exactly_101_mib(tree: Fixture) -> None:
    before = sizes(tree, MB1)
    receipt = patch(str(tree.root), ORIN_NANO)
    after = sizes(tree, MB1)
    assert sum(before.values()) - sum(after.values()) == 101 * MIB == receipt.reclaimed_bytes
    assert sum(after.values()) == int(670.875 * MIB)
    given_up = {"39": 34 * MIB, "20": 32 * MIB, "24": 32 * MIB, "12": MIB, "42": MIB, "17": MIB}
    assert {unit: before[unit] - size for unit, size in after.items() if before.get(unit, 0) != size} == given_up
    assert after["11"] == 0  # BPMP_DCE, which the notes name and the tree did not have
    assert {one.name: one.before_bytes - one.after_bytes for one in receipt.reclaimed} == {
        "DISP_EARLY_BOOT_FB": 34 * MIB,
        "DCE": 32 * MIB,
        "CAMERA_TASKLIST": 32 * MIB,
        "DCE_TSEC": MIB,
        "TSEC_DCE": MIB,
        "RCE": MIB,
    }


@pytest.mark.parametrize(("needs", "mib"), [(["camera"], 68), (["display"], 33), (["camera", "display"], 0)])
def test_what_is_needed_stays(tree: Fixture, needs: list[str], mib: int) -> None:
    before = sizes(tree, MB1)
    receipt = patch(str(tree.root), ORIN_NANO, needs)
    assert sum(before.values()) - sum(sizes(tree, MB1).values()) == mib * MIB == receipt.reclaimed_bytes
    assert display(tree) == (b"okay\0" if "display" in needs else b"disabled\0")
    assert (receipt.state == "nothing to do") is (mib == 0)


@pytest.mark.parametrize("style", ["override", "edit"])
def test_every_step_of_both_notes(tree: Fixture, style: str) -> None:
    before = compiled(tree)[1]
    patch(str(tree.root), ORIN_NANO, style=style)
    mb1, mb2 = compiled(tree)
    zero = {"pref_base": bytes(8), "size": bytes(8), "alignment": bytes(8)}
    for unit in ("11", "12", "20", "39", "42", "24", "17"):
        assert mb1[f"/misc/carveout/aux_info@{unit}"] == zero
    off = {"enable_init": bytes(4), "enable_fw_load": bytes(4), "enable_unhalt": bytes(4)}
    assert mb2["/mb2-misc/auxp_controls@2"] == off
    assert mb2["/mb2-misc/auxp_controls@3"] == {**off, "reset_vector": b"\x40\0\0\0"}
    gone = {path for path in before if path not in mb2}
    assert {path for path in gone if "region" not in path} == {
        f"/mb2-misc/auxp_ast_config@{entry}" for entry in (4, 5, 6, 7)
    }
    assert "/mb2-misc/auxp_ast_config@2" in mb2  # that of the audio processor
    assert display(tree) == b"disabled\0"


def test_both_styles_compile_to_the_same_trees(tmp_path: Path) -> None:
    require_tools()
    trees = [make_tree(tmp_path / style) for style in ("override", "edit")]
    for tree, style in zip(trees, ("override", "edit"), strict=True):
        patch(str(tree.root), ORIN_NANO, style=style)
    assert compiled(trees[0]) == compiled(trees[1])
    assert trees[0].file(DTB).read_bytes() == trees[1].file(DTB).read_bytes()


def test_an_override_touches_no_file_that_other_boards_include(tree: Fixture) -> None:
    agx, common = compiled(tree, AGX), tree.text(COMMON)
    told = plan_patch(str(tree.root), ORIN_NANO)
    assert {edit.path for edit in told.files} == {MB1, MB2, DTB}
    patch(str(tree.root), ORIN_NANO)
    assert tree.text(COMMON) == common
    assert compiled(tree, AGX) == agx


def test_an_edit_says_whom_it_reaches(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), ORIN_NANO, style="edit")
    reached = {edit.path: edit.also_included_by for edit in told.files}
    assert reached == {MB1: (), COMMON: (Path(MB2_AGX).name,), DTB: ()}
    places = {step.target: step.file for step in told.steps}
    assert places["/mb2-misc/auxp_controls@3"] == COMMON
    assert places["/misc/carveout/aux_info@CARVEOUT_DCE"] == MB1


@pytest.mark.parametrize("style", ["override", "edit"])
def test_comments_and_everything_else_survive(tree: Fixture, style: str) -> None:
    """Lines go only where they are meant to."""
    before = {file: tree.text(file) for file in (MB1, MB2, COMMON)}
    patch(str(tree.root), ORIN_NANO, style=style)
    for file, text in before.items():
        kept = [line for line in text.splitlines() if "//" in line or "/*" in line]
        after = tree.text(file)
        assert all(line.split("//")[-1].split("/*")[-1] in after for line in kept)
        if style == "override":
            assert after.startswith(text)
    if style == "edit":
        assert "\t\t\tenable_fw_load = <0>; // from its partition\n" in tree.text(COMMON)


@pytest.mark.parametrize("style", ["override", "edit"])
def test_undo_is_exact_and_a_second_time_is_nothing(tree: Fixture, style: str) -> None:
    before = contents(tree)
    first = patch(str(tree.root), ORIN_NANO, style=style)
    patched = contents(tree)
    again = patch(str(tree.root), ORIN_NANO, style=style)
    assert (again.id, again.state, again.files) == ("", "nothing to do", ())
    assert plan_patch(str(tree.root), ORIN_NANO).files == ()
    assert contents(tree) == patched
    taken = undo(str(tree.root))
    assert (taken.id, taken.state) == (first.id, "undone")
    assert contents(tree) == before


def test_one_patch_behind_another_and_back_in_turn(tree: Fixture) -> None:
    before = contents(tree)
    patch(str(tree.root), ORIN_NANO, ["camera"])
    between = contents(tree)
    second = patch(str(tree.root), ORIN_NANO, style="edit")
    assert second.reclaimed_bytes == 33 * MIB
    found = diff(str(tree.root))
    assert [receipt.reclaimed_bytes for receipt in found.receipts] == [68 * MIB, 33 * MIB]
    assert {edit.path for edit in found.files} == {MB1, MB2, COMMON, DTB}
    assert found.drift == ()
    undo(str(tree.root), second.id)
    assert contents(tree) == between
    undo(str(tree.root))
    assert contents(tree) == before


@pytest.mark.parametrize("style", ["override", "edit"])
def test_windows_line_ends_and_bytes_that_are_no_text(tree: Fixture, style: str) -> None:
    for file in (MB1, MB2, COMMON):
        odd = tree.file(file).read_bytes().replace(b"\n", b"\r\n")
        tree.file(file).write_bytes(odd.rstrip() + b" // caf\xe9, \xc3\xa9")
    before = contents(tree)
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    for file in (MB1, MB2, COMMON):
        after = tree.file(file).read_bytes()
        assert after.count(b"\n") == after.count(b"\r\n")
        assert b"// caf\xe9, \xc3\xa9" in after
    undo(str(tree.root))
    assert contents(tree) == before


def test_the_notes_done_by_hand_are_nothing_to_do(tree: Fixture) -> None:
    by_hand(tree)
    told = plan_patch(str(tree.root), ORIN_NANO, ["camera"])
    assert (told.files, told.reclaimed_bytes) == ((), 0)
    assert all(step.done for step in told.steps)
    assert audit_tree(str(tree.root), ORIN_NANO).half_done == ()


def test_the_notes_done_by_halves_are_told_and_finished(tree: Fixture) -> None:
    tree.change(MB1, "\t\tcarveout {\n", "\t\tcarveout {\n" + note_1())
    (half,) = audit_tree(str(tree.root), ORIN_NANO).half_done
    assert half.startswith("display still has /mb2-misc/auxp_controls@3, /mb2-misc/auxp_ast_config@6")
    told = plan_patch(str(tree.root), ORIN_NANO, ["camera"])
    assert {step.target: step.done for step in told.steps if "aux_info" in step.target} == {
        f"/misc/carveout/aux_info@CARVEOUT_{name}": True
        for name in ("DCE_TSEC", "DCE", "DISP_EARLY_BOOT_FB", "TSEC_DCE", "BPMP_DCE")
    }
    patch(str(tree.root), ORIN_NANO, ["camera"])
    assert audit_tree(str(tree.root), ORIN_NANO).half_done == ()


def by_hand(tree: Fixture) -> None:
    """Note 1, as somebody types it."""
    tree.change(MB1, "\t\tcarveout {\n", "\t\tcarveout {\n" + note_1())
    text = tree.text(COMMON)
    begin, end = text.index("\t\tauxp_controls@3"), text.index("\t\t/* Control fields for FSI")
    off = "enable_init = <0>; enable_fw_load = <0>; enable_unhalt = <0>;"
    controls = f"auxp_controls@3 {{ {off} reset_vector = <0x40000000>; }};\n"
    text = text[:begin] + controls + text[end:]
    begin = text.index("\t\tauxp_ast_config@6")
    tree.write(COMMON, text[:begin] + "\t};\n};\n")
    write_kernel(tree, DTB, "nvidia,p3767-0003")
    subprocess.run(["fdtput", "-t", "s", tree.file(DTB), "/display@13800000", "status", "disabled"], check=True)


def test_a_carriers_own_mb2_file_is_merged(tree: Fixture) -> None:
    """Named by its own configuration, with nodes of its own that stay."""
    own = f"{BCT}/tegra234-mb2-bct-misc-carrier.dts"
    tree.write(own, tree.text(MB2).replace("};\n", "\t\tenable_ccplex_wdt = <7>;\n};\n", 1).replace("eeprom", "eeprom"))
    tree.write("carrier.conf", f'source "${{LDK_DIR}}/p3768-0000-p3767-0000-a0.conf";\nMB2_BCT="{Path(own).name}";\n')
    before = contents(tree)
    receipt = patch(str(tree.root), ORIN_NANO, configuration="carrier")
    assert [path for path, _, _ in receipt.files] == [MB1, own, DTB]
    layout = find_layout(str(tree.root), ORIN_NANO, "carrier")
    after = by_path(merge(layout.root, layout.mb2, layout.includes).root)
    assert after["/mb2-misc/eeprom"]["enable_ccplex_wdt"] == b"\0\0\0\x07"
    assert after["/mb2-misc/auxp_controls@3"]["enable_fw_load"] == bytes(4)
    assert receipt.flash.endswith(" carrier internal")
    undo(str(tree.root))
    assert contents(tree) == before


def test_a_configuration_that_chooses_by_the_module_is_told(tree: Fixture) -> None:
    tree.write("carrier.conf", 'source "${LDK_DIR}/p3767.conf.common"\nf()\n{\n\tMB2_BCT="other.dts"\n}\n')
    told = plan_patch(str(tree.root), ORIN_NANO, configuration="carrier.conf")
    assert any(
        caution.startswith("carrier.conf sets MB2_BCT to other.dts under a condition") for caution in told.cautions
    )
    assert {edit.path for edit in told.files} == {MB1, MB2, DTB}


@pytest.mark.parametrize("style", ["override", "edit"])
def test_experimental_on_agx_orin_is_1048_mib(tree: Fixture, style: str) -> None:
    needs = ["display", "camera"]
    told = plan_patch(str(tree.root), AGX, needs)
    assert told.files == ()
    assert {name for name, why in told.left if "--experimental" in why} == {
        *("protected video", "safety island", "self-test"),
    }
    before, files = sizes(tree, MB1_AGX), contents(tree)
    receipt = patch(str(tree.root), AGX, needs, style, experimental=True)
    assert sum(before.values()) - sum(sizes(tree, MB1_AGX).values()) == 1048 * MIB == receipt.reclaimed_bytes
    assert compiled(tree, AGX)[1]["/mb2-misc/auxp_controls@5"]["enable_fw_load"] == bytes(4)
    assert any("nobody has published a boot" in caution for caution in receipt.cautions)
    undo(str(tree.root))
    assert contents(tree) == files


def test_the_notes_are_experimental_on_agx_orin(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), AGX)
    assert told.files == ()
    assert {"display", "camera"} <= {name for name, _ in told.left}
    told = plan_patch(str(tree.root), AGX, experimental=True)
    assert told.reclaimed_bytes == (1048 + 101) * MIB
    assert any("published for p3767 modules alone" in caution for caution in told.cautions)


def test_on_orin_nano_there_is_nothing_experimental_left(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), ORIN_NANO, experimental=True)
    assert told.reclaimed_bytes == 101 * MIB
    assert told.left == ()


def test_needs_that_no_carveout_serves_are_told(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), ORIN_NANO, ["bluetooth", "camera"])
    assert ("bluetooth", "no carveout serves it") in told.left


def test_what_is_needed_and_was_given_up_already_is_told(tree: Fixture) -> None:
    patch(str(tree.root), ORIN_NANO)
    told = plan_patch(str(tree.root), ORIN_NANO, ["display"])
    assert told.left == (("display", "is needed, but was given up already: memfit bsp undo"),)
    nothing = patch(str(tree.root), ORIN_NANO, ["display"])
    assert (nothing.state, nothing.left) == ("nothing to do", told.left)
    for record in (told, nothing):
        shown = str(render(record, width=200))
        assert "display: is needed, but was given up already" in shown
        assert "display is needed, but gone already" in shown
        assert "is so already" not in shown


def test_a_receipt_keeps_what_was_left_alone(tree: Fixture) -> None:
    patch(str(tree.root), ORIN_NANO, ["camera"])
    receipt = patch(str(tree.root), ORIN_NANO, ["display"])
    assert receipt.state == "applied"
    assert ("display", "is needed, but was given up already: memfit bsp undo") in receipt.left
    assert diff(str(tree.root)).receipts[-1].left == receipt.left
    assert "Left alone" in str(render(receipt, width=200))


def test_what_is_beyond_the_notes_is_said(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), ORIN_NANO)
    beyond = {step.target for step in told.steps if not step.published}
    assert beyond == {"/mb2-misc/auxp_ast_config@4", "/mb2-misc/auxp_ast_config@5"}
    assert any("address translation" in caution for caution in told.cautions)
    assert any("flashed twice" in caution for caution in told.cautions)


def test_the_ledger_of_a_tree(tree: Fixture) -> None:
    found = audit_tree(str(tree.root), ORIN_NANO)
    assert found.release == "36.2.0"
    assert found.sum_bytes == int(771.875 * MIB) == sum(sizes(tree, MB1).values())
    assert found.published_bytes == 101 * MIB
    rows = {row.name: row for row in found.carveouts}
    assert rows["DISP_EARLY_BOOT_FB"].aliases == ("CCPLEX_SMMU_PTW",)
    assert (rows["DCE"].can_go, rows["DCE"].need, rows["DCE"].bytes) == ("yes", "display", 32 * MIB)
    assert (rows["VPR"].can_go, rows["TZDRAM"].can_go) == ("gone", "no")
    assert all(row.purpose and (row.stays or row.recipe) for row in found.carveouts if row.bytes)
    # the boot log of an Orin Nano 8GB shows 255,360 KiB missing (R36.4.4)
    assert abs(found.kept_bytes - 255_360 * 1024) <= 3 * MIB
    kept = audit_tree(str(tree.root), ORIN_NANO, ["display"])
    assert {row.name for row in kept.carveouts if row.can_go == "needed"} == {
        *("DCE", "DCE_TSEC", "TSEC_DCE", "DISP_EARLY_BOOT_FB"),
    }
    patch(str(tree.root), ORIN_NANO)
    assert audit_tree(str(tree.root), ORIN_NANO).kept_bytes == found.kept_bytes - 101 * MIB
    agx = audit_tree(str(tree.root), AGX)
    assert agx.experimental_bytes == (1048 + 101) * MIB


def test_records_survive_json(tree: Fixture) -> None:
    records: list[tuple[Callable[[], msgspec.Struct], type]] = [
        (lambda: audit_tree(str(tree.root), ORIN_NANO), BspAudit),
        (lambda: plan_patch(str(tree.root), ORIN_NANO), Patch),
        (lambda: patch(str(tree.root), ORIN_NANO), BspReceipt),
        (lambda: diff(str(tree.root)), BspDiff),
    ]
    for make, kind in records:
        record = make()
        assert msgspec.json.decode(msgspec.json.encode(record), type=kind) == record


def test_the_journal_is_in_the_tree_and_goes_with_it(tree: Fixture, tmp_path: Path) -> None:
    before = contents(tree)
    patch(str(tree.root), ORIN_NANO)
    assert (tree.root / ".memfit/journal").is_dir()
    moved = Fixture(tmp_path / "elsewhere")
    tree.root.rename(moved.root)
    undo(str(moved.root))
    assert contents(moved) == before


def test_the_tree_of_the_documents_is_the_one_of_the_tests(tree: Fixture) -> None:
    """Where it is not, ``make_tree(Path("tests/fixtures/bsp"))`` writes it; another dtc may lay blobs out anew."""
    kept = Fixture(Path(__file__).parents[1] / "fixtures/bsp/Linux_for_Tegra")
    ours, theirs = contents(tree), contents(kept)
    assert sorted(ours) == sorted(theirs)
    for path, (content, _, _) in ours.items():
        if path.endswith(".dtb"):
            assert read_blob(content, path) == read_blob(theirs[path][0], path)
        else:
            assert content == theirs[path][0], path
