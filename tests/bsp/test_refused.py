"""Trees and requests that are refused, each with the file, the node and what to do; and nothing is written."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from fixture_tree import BCT, COMMON, DTB, MB1, MB2, Fixture, contents, make_tree, require_tools, sizes, write_kernel

from memfit.bsp import audit_tree, diff, patch, plan_patch, undo
from memfit.errors import ApplyError, Drift, MemfitError, ProbeError, UnknownName, UsageError
from memfit.render import render
from memfit.units import MIB

ORIN_NANO = "p3767-0003"


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    """Whatever is refused leaves it as it was."""
    require_tools()
    return make_tree(tmp_path)


def refused(tree: Fixture, error: type[MemfitError], *words: str, board: str = ORIN_NANO, **more: object) -> None:
    """Each style refuses, with all of the words in message and hint."""
    before = contents(tree)
    for style in ("override", "edit"):
        with pytest.raises(error) as caught:
            patch(str(tree.root), board, style=style, **more)  # type: ignore[arg-type]
        told = f"{caught.value.message} {caught.value.hint}"
        assert not [word for word in words if word not in told], told
        assert caught.value.hint, told
    assert contents(tree) == before


def test_what_is_no_tree(tmp_path: Path, tree: Fixture) -> None:
    with pytest.raises(UsageError, match="no BSP tree"):
        audit_tree(str(tmp_path / "Linux_for_Tegra/kernel"), ORIN_NANO)
    with pytest.raises(UsageError, match="no such folder"):
        undo(str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="null byte"):
        diff("a\0b")
    assert audit_tree(str(tmp_path), ORIN_NANO).sum_bytes  # the folder that holds it


def test_a_board_or_style_that_nobody_knows(tree: Fixture) -> None:
    refused(tree, UnknownName, "p3767-0009", "p3767", board="p3767-0009")
    with pytest.raises(UnknownName, match="unknown style: 'patch'"):
        plan_patch(str(tree.root), ORIN_NANO, style="patch")
    refused(tree, UsageError, "nobody.conf", "p3768-0000-p3767-0000-a0", configuration="nobody")


def test_a_tree_of_another_board(tree: Fixture) -> None:
    tree.file(MB1).unlink()
    refused(tree, ProbeError, Path(MB1).name, "boards of this tree: p3701-0000")


def test_a_kernel_tree_of_another_board(tree: Fixture) -> None:
    write_kernel(tree, DTB, "nvidia,p3737-0000+p3701-0000")
    refused(tree, ProbeError, DTB, "p3701-0000", "not for p3767-0003")
    tree.file(DTB).unlink()
    refused(tree, ProbeError, "kernel/dtb", "tegra234-*p3767-0003*.dtb")
    assert plan_patch(str(tree.root), ORIN_NANO, ["display"]).reclaimed_bytes == 33 * MIB


def test_a_kernel_tree_that_is_damaged(tree: Fixture) -> None:
    whole = tree.file(DTB).read_bytes()
    for broken in (b"", b"\0" * 64, whole[:100], whole[: len(whole) // 2], whole[:-1]):
        tree.file(DTB).write_bytes(broken)
        if broken != whole[:-1]:
            refused(tree, ProbeError, DTB, "device tree blob")
        else:
            with pytest.raises(ProbeError, match=r"\.dtb"):
                patch(str(tree.root), ORIN_NANO)


def test_a_missing_include(tree: Fixture) -> None:
    tree.file("bootloader/tegrabl_carveout_id.h").unlink()
    refused(tree, ProbeError, Path(MB1).name, "tegrabl_carveout_id.h", "unpack the whole Driver Package")


def test_an_include_from_outside(tree: Fixture, tmp_path: Path) -> None:
    (tmp_path / "outside.dtsi").write_text("/ { };\n")
    tree.change(MB1, "/dts-v1/;", '/dts-v1/;\n#include "../../../../outside.dtsi"')
    refused(tree, ProbeError, "outside of the tree")


def test_a_source_that_does_not_compile(tree: Fixture) -> None:
    tree.add(MB2, "/ { mb2-misc { broken };\n")
    refused(tree, ProbeError, Path(MB2).name, "dtc", "syntax error")


@pytest.mark.parametrize(
    ("tool", "package"),
    [("cpp", "cpp"), ("dtc", "device-tree-compiler"), ("fdtput", "device-tree-compiler")],
)
def test_a_tool_that_is_not_installed(
    tree: Fixture, tool: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in {"cpp", "dtc", "fdtput"} - {tool}:
        (folder / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(folder))
    refused(tree, ProbeError, f"{tool} is not installed", f"apt-get install {package}")


def test_another_layout_is_refused_by_the_missing_node_and_taken_where_it_matches(tmp_path: Path) -> None:
    require_tools()
    tree = make_tree(tmp_path, release="35.3")
    refused(tree, ProbeError, "aux_info@CARVEOUT_DCE_TSEC", "--needs display")
    before = sizes(tree, MB1)
    receipt = patch(str(tree.root), ORIN_NANO, ["display"])
    assert receipt.reclaimed_bytes == 33 * MIB == sum(before.values()) - sum(sizes(tree, MB1).values())
    assert any("35.3" in caution for caution in receipt.cautions)
    assert any(
        "display cannot be given up here" in warning for warning in audit_tree(str(tree.root), ORIN_NANO).warnings
    )


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("auxp_controls@3", "auxp_controls@8", "/mb2-misc/auxp_controls@3"),
        ("for DCE cluster", "for APE cluster", "the APE cluster here, not DCE"),
        ("carveout = <CARVEOUT_DCE>", "carveout = <CARVEOUT_APE>", "maps carveout 7"),
    ],
)
def test_numbers_that_mean_something_else_are_refused(tree: Fixture, before: str, after: str, named: str) -> None:
    tree.change(COMMON, before, after)
    refused(tree, ProbeError, named)


def test_an_entry_of_another_number_that_maps_only_these_goes_as_well(tree: Fixture) -> None:
    more = "\t\tauxp_ast_config@9 { ast_region@0 { carveout = <CARVEOUT_DCE>; }; };\n\t\t/* DCE's translation */"
    tree.change(COMMON, "\t\t/* DCE's translation */", more)
    told = plan_patch(str(tree.root), ORIN_NANO)
    assert {step.target: step.published for step in told.steps}["/mb2-misc/auxp_ast_config@9"] is False


def test_entries_that_do_not_say_what_they_map_go_by_their_numbers(tree: Fixture) -> None:
    text = tree.text(COMMON)
    tree.write(COMMON, "".join(line for line in text.splitlines(keepends=True) if "carveout = <" not in line))
    told = plan_patch(str(tree.root), ORIN_NANO)
    gone = {step.target.rpartition("@")[2] for step in told.steps if "ast_config" in step.target and not step.done}
    assert gone == {"4", "5", "6", "7"}


def test_a_kernel_without_a_display(tree: Fixture) -> None:
    subprocess.run(["fdtput", "-r", tree.file(DTB), "/display@13800000"], check=True)
    refused(tree, ProbeError, DTB, "/display@13800000")


def test_a_display_is_found_by_compatible_wherever_it_is(tree: Fixture) -> None:
    subprocess.run(["fdtput", "-r", tree.file(DTB), "/display@13800000"], check=True)
    elsewhere = "/bus@0/screen@1"
    subprocess.run(["fdtput", "-c", tree.file(DTB), elsewhere], check=True)
    subprocess.run(
        ["fdtput", "-t", "s", tree.file(DTB), elsewhere, "compatible", "nvidia,tegra234-display"], check=True
    )
    assert elsewhere in {step.target for step in plan_patch(str(tree.root), ORIN_NANO).steps}


def test_somebodys_own_size_of_a_carveout(tree: Fixture) -> None:
    mine = "\t\tcarveout {\n\t\t\taux_info@CARVEOUT_CAMERA_TASKLIST { size = <0x0 0x1000000>; };\n"
    tree.change(MB1, "\t\tcarveout {\n", mine)
    refused(tree, ApplyError, MB1, "line 19", "aux_info@CARVEOUT_CAMERA_TASKLIST", "--needs camera")
    assert plan_patch(str(tree.root), ORIN_NANO, ["camera"]).reclaimed_bytes == 68 * MIB


def test_somebodys_own_size_by_number_or_by_another_name(tree: Fixture) -> None:
    for name in ("39", "CARVEOUT_CCPLEX_SMMU_PTW"):
        other = make_tree(tree.root.parent / name)
        mine = f"\t\tcarveout {{\n\t\t\taux_info@{name} {{ size = <0x0 0x1000000>; }};\n"
        other.change(MB1, "\t\tcarveout {\n", mine)
        refused(other, ApplyError, MB1, "line 19", name)


def test_a_carriers_own_cluster(tree: Fixture) -> None:
    tree.change(MB2, "\t\teeprom {", "\t\tauxp_controls@2 { enable_unhalt = <1>; };\n\t\teeprom {")
    refused(tree, ApplyError, MB2, "line 7", "auxp_controls@2", "--needs camera")


def test_what_overrides_the_edit_is_noticed_in_the_compiled_tree(tree: Fixture) -> None:
    """A reference by label, which no path in a source leads to."""
    tree.change(COMMON, "auxp_controls@3 {", "dce: auxp_controls@3 {")
    tree.add(COMMON, "&dce { enable_unhalt = <1>; };\n")
    before = contents(tree)
    with pytest.raises(ApplyError, match=r"auxp_controls@3 is as it was once .*common\.dtsi, line \d+ sets it last"):
        patch(str(tree.root), ORIN_NANO, style="edit")
    assert contents(tree) == before
    assert patch(str(tree.root), ORIN_NANO, style="override").reclaimed_bytes == 101 * MIB


def test_nothing_else_may_change_in_the_compiled_tree(tree: Fixture) -> None:
    """Where nodes refer to others, one reference fewer gives the others new numbers."""
    tree.change(COMMON, "enable_sce = <1>;", "enable_sce = <1>;\n\t\tone: x@1 { };\n\t\ttwo: x@2 { };")
    tree.change(COMMON, "auxp_ast_config@6 {", "auxp_ast_config@6 {\n\t\t\tuses = <&one>;")
    tree.change(COMMON, "auxp_ast_config@7 {", "last { uses = <&two>; };\n\t\tauxp_ast_config@7 {")
    refused(tree, ApplyError, Path(MB2).name, "/mb2-misc/x@1 would change as well")


def test_a_change_that_would_reach_further_is_refused(tree: Fixture) -> None:
    """Somebody refers to a node that goes: dtc says so, and nothing is written."""
    tree.change(COMMON, "auxp_ast_config@6 {", "ast6: auxp_ast_config@6 {")
    tree.change(COMMON, "enable_sce = <1>;", "enable_sce = <1>;\n\t\tuses = <&ast6>;")
    refused(tree, ProbeError, Path(MB2).name, "dtc", "ast6", "nothing was written", "--needs")


def test_undo_of_what_was_never_done(tree: Fixture) -> None:
    with pytest.raises(ApplyError, match="nothing is applied"):
        undo(str(tree.root))
    with pytest.raises(ApplyError, match="no receipt 0009-beef"):
        undo(str(tree.root), "0009-beef")


def test_an_edit_between_reading_and_writing(tree: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    room = importlib.import_module("memfit.bsp.patch")
    real = room._transactions

    def meanwhile(root: Path, contents: Iterable[str] = ()) -> object:
        if contents:
            tree.add(MB1, "// somebody else\n")
        return real(root, contents)

    monkeypatch.setattr(room, "_transactions", meanwhile)
    with pytest.raises(Drift, match="changed since it was read"):
        patch(str(tree.root), ORIN_NANO)
    assert tree.text(MB1).endswith("// somebody else\n")
    assert "memfit" not in tree.text(MB1)
    assert display_is_on(tree)


def display_is_on(tree: Fixture) -> bool:
    return b"disabled" not in tree.file(DTB).read_bytes()


def test_a_file_that_leads_out_of_the_tree(tree: Fixture, tmp_path: Path) -> None:
    outside = tmp_path / "outside.dts"
    tree.file(MB2).rename(outside)
    tree.file(MB2).symlink_to(outside)
    refused(tree, ProbeError, "outside of")


def test_an_include_that_is_a_link_out_of_the_tree(tree: Fixture, tmp_path: Path) -> None:
    outside = tmp_path / "outside.dtsi"
    tree.file(COMMON).rename(outside)
    tree.file(COMMON).symlink_to(outside)
    refused(tree, ProbeError, COMMON, "a link out of the tree", "copy it into the tree")


def test_a_line_that_names_a_file_that_is_not_there(tree: Fixture) -> None:
    tree.add(MB1, '#line 7 "gone.dtsi"\n')
    refused(tree, ProbeError, Path(MB1).name, "gone.dtsi", "#line")


def test_a_pipe_for_a_kernel_tree_is_none(tree: Fixture) -> None:
    tree.file(DTB).unlink()
    os.mkfifo(tree.file(DTB))
    with pytest.raises(ProbeError, match="kernel/dtb: there is no"):
        patch(str(tree.root), ORIN_NANO)


def test_the_audit_does_not_promise_what_patch_refuses(tree: Fixture) -> None:
    tree.file(DTB).unlink()
    found = audit_tree(str(tree.root), ORIN_NANO)
    assert found.published_bytes == 33 * MIB
    assert {row.can_go for row in found.carveouts if row.recipe == "display" and row.bytes} == {"no"}
    assert any("display cannot be given up here" in warning for warning in found.warnings)
    tree.write("my.conf", 'source "${LDK_DIR}/p3767.conf.common"\n')
    shown = str(render(audit_tree(str(tree.root), ORIN_NANO, configuration="my"), width=400))
    assert f"memfit bsp patch {tree.root.resolve()} --board {ORIN_NANO} --needs display --conf my --dry-run" in shown


def test_a_link_inside_of_the_tree_is_followed_and_stays(tree: Fixture) -> None:
    real = f"{BCT}/real.dts"
    tree.file(MB2).rename(tree.file(real))
    tree.file(MB2).symlink_to("real.dts")
    before = contents(tree)
    receipt = patch(str(tree.root), ORIN_NANO)
    assert [path for path, _, _ in receipt.files] == [MB1, real, DTB]
    assert tree.file(MB2).is_symlink()
    undo(str(tree.root))
    assert contents(tree) == before
