"""What a carrier's ``.conf`` names, in the spellings of the shell: followed, or refused by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_tree import BCT, DTB, MB1, MB2, Fixture, contents, make_tree, require_tools, write_kernel

from memfit.bsp import patch, plan_patch
from memfit.bsp.fdt import read_blob
from memfit.bsp.layout import find_layout
from memfit.errors import ProbeError

ORIN_NANO = "p3767-0003"
STOCK = 'source "${LDK_DIR}/p3768-0000-p3767-0000-a0.conf";\n'
OWN = "kernel/dtb/tegra234-carrier+v1.2-nv.dtb"
MINE = f"{BCT}/mine.dts"


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    tree = make_tree(tmp_path)
    tree.write(MINE, tree.text(MB2))
    write_kernel(tree, OWN, "vendor,carrier+p3767-0003")
    return tree


def is_disabled(tree: Fixture, file: str) -> bool:
    node = read_blob(tree.file(file).read_bytes(), file).at("/display@13800000")
    assert node is not None
    return node.properties["status"] == b"disabled\0"


@pytest.mark.parametrize("end", ["", ";", " # ours"])
def test_the_device_tree_that_is_flashed_is_the_one_that_is_patched(tree: Fixture, end: str) -> None:
    tree.write("v.conf", f"{STOCK}DTB_FILE={Path(OWN).name}{end}\n")
    receipt = patch(str(tree.root), ORIN_NANO, configuration="v")
    assert {path for path, _, _ in receipt.files} == {MB1, MB2, OWN}
    assert (is_disabled(tree, OWN), is_disabled(tree, DTB)) == (True, False)
    (told,) = [one for one in receipt.cautions if "stays as it is" in one]
    assert Path(OWN).name in told
    assert Path(DTB).name in told


def test_a_device_tree_that_is_not_there(tree: Fixture) -> None:
    tree.write("v.conf", f"{STOCK}DTB_FILE=gone.dtb\n")
    with pytest.raises(ProbeError, match=r"kernel/dtb: there is no gone\.dtb"):
        patch(str(tree.root), ORIN_NANO, configuration="v")
    assert plan_patch(str(tree.root), ORIN_NANO, ["display"], configuration="v").files


def test_the_module_chooses(tree: Fixture) -> None:
    """As NVIDIA's own do: a default, and the module's in a function that the flash tool calls."""
    hook = (
        'update_flash_args()\n{\nif [ "${board_sku}" = "0000" ] ||\n [ "${board_sku}" = "0001" ]; then\n'
        f'DTB_FILE=other.dtb;\nelif [ "${{board_sku}}" = "0003" ]; then\nDTB_FILE={Path(OWN).name};\n'
        'else\nexit 1\nfi\nTBCDTB_FILE="${DTB_FILE}";\n}\nDTB_FILE=default.dtb;\n'
    )
    tree.write("v.conf", STOCK + hook)
    assert find_layout(str(tree.root), ORIN_NANO, "v").kernel == (OWN,)
    tree.write("carrier.conf", 'source "${LDK_DIR}/v.conf"\nDTB_FILE=mine.dtb\n')
    layout = find_layout(str(tree.root), ORIN_NANO, "carrier")
    assert layout.kernel == (OWN,)
    assert any("carrier.conf, line 2 sets DTB_FILE to mine.dtb, but update_flash_args" in one for one in layout.notes)


@pytest.mark.parametrize(
    "lines",
    [
        "MB2_BCT=mine.dts",
        "MB2_BCT='mine.dts';",
        'MB2_BCT="mine".dts',
        "\tMB2_BCT=mine.dts",
        "export MB2_BCT=mine.dts",
        "declare -x MB2_BCT='mine.dts'",
        'V="mine"; MB2_BCT="${V}.dts"',
        "V=mine.dts\nMB2_BCT=$V",
        "MB2_BCT=\\\nmine.dts",
        'if [ "${board_sku}" = "0003" ]; then MB2_BCT=mine.dts; fi',
        "if [ '0003' = \"$board_sku\" ]; then\nMB2_BCT=mine.dts\nfi",
        '[ "${board_sku}" == "0003" ] && MB2_BCT=mine.dts',
        '[ "${board_sku}" = "0000" ] && { MB2_BCT=other.dts; }\nMB2_BCT=mine.dts',
        'case "${board_sku}" in\n0000|0001) MB2_BCT=other.dts;;\n0003) MB2_BCT=mine.dts;;\nesac',
        'if [ "${board_id}" = "1" ]; then MB2_BCT=other.dts; fi\nMB2_BCT=mine.dts',
        "update_flash_args() {\n\tMB2_BCT=mine.dts\n}",
        '. "${LDK_DIR}/vendor/more.conf"',
        "source $LDK_DIR/vendor/more.conf;",
        "source '" + "vendor/more.conf'",
        'if [ -f "${LDK_DIR}/vendor/more.conf" ]; then source "${LDK_DIR}/vendor/more.conf"; fi',
        'D=vendor\nsource "${LDK_DIR}/${D}/more.conf"',
    ],
)
def test_spellings_that_are_followed(tree: Fixture, lines: str) -> None:
    tree.write("vendor/more.conf", "MB2_BCT=mine.dts\n")
    tree.write("v.conf", f"{STOCK}# MB2_BCT=none.dts\necho MB2_BCT=none.dts\n{lines}\n")
    assert find_layout(str(tree.root), ORIN_NANO, "v").mb2 == MINE


@pytest.mark.parametrize(
    "lines",
    [
        "MB2_BCT=${UNKNOWN}.dts",
        "MB2_BCT=$(ls mine.dts)",
        "MB2_BCT=`ls mine.dts`",
        "MB2_BCT=${X:-mine.dts}",
        "MB2_BCT+=.dts",
        "MB2_BCT=",
        'eval "MB2_BCT=mine.dts"',
        "read MB2_BCT",
        "printf -v MB2_BCT mine.dts",
        ': "${MB2_BCT:=mine.dts}"',
        'if [ "${board_FAB}" = "A" ]; then MB2_BCT=mine.dts; fi',
        '[ -n "${CARRIER}" ] && MB2_BCT=mine.dts',
        "test_it || { MB2_BCT=mine.dts; }",
        "for x in 1; do MB2_BCT=mine.dts; done",
        "( MB2_BCT=mine.dts )",
        'source "${HERE}/more.conf"',
        'source "$(dirname "$0")/more.conf"',
        ". more.conf",
        'source "${LDK_DIR}/../more.conf"',
    ],
)
def test_spellings_that_are_refused_by_file_and_line(tree: Fixture, lines: str) -> None:
    (tree.root.parent / "more.conf").write_text("MB2_BCT=mine.dts\n")
    tree.write("v.conf", f"{STOCK}\n{lines}\n")
    before = contents(tree)
    with pytest.raises(ProbeError, match=r"v\.conf, line 3: ") as caught:
        patch(str(tree.root), ORIN_NANO, configuration="v")
    assert caught.value.hint
    assert contents(tree) == before
