"""NVIDIA's own files of R36.2, where they are: boot configurations, configurations of boards, kernel device trees."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from fixture_tree import (
    BCT,
    DTB,
    DTB_AGX,
    MB1,
    MB1_AGX,
    MB2,
    Fixture,
    contents,
    make_tree,
    require_tools,
    sizes,
)

from memfit.bsp import audit_tree, patch, plan_patch, undo
from memfit.bsp._tokens import tokens
from memfit.bsp.fdt import read_blob
from memfit.bsp.layout import find_layout
from memfit.bsp.merged import differences
from memfit.bsp.source import parse
from memfit.device.boot_log import parse_boot_log
from memfit.device.carveouts import holes
from memfit.units import GIB, KIB, MIB

SHARED = Path(__file__).parents[3] / "shared/data/devices"
pytestmark = pytest.mark.skipif(not (SHARED / "bct").is_dir(), reason="NVIDIA's files are not part of the project")


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    """The real files where they are free to have, and ours for the proprietary ones that they include."""
    require_tools()
    tree = make_tree(tmp_path)
    for path in sorted((SHARED / "bct/r36.2").iterdir()):
        shutil.copyfile(path, tree.file(f"{BCT}/{path.name}"))
    for path in sorted((SHARED / "boardconf").iterdir()):
        shutil.copyfile(path, tree.file(path.name.removeprefix("r36.2_")))
    for path in sorted((SHARED / "dtb").glob("*.dtb")):
        shutil.copyfile(path, tree.file(f"kernel/dtb/{path.name.removeprefix('r36.2_')}"))
    assert tree.file(DTB).stat().st_size > 200_000
    return tree


def test_every_file_is_read_to_the_byte() -> None:
    for path in sorted((SHARED / "bct/r36.2").iterdir()):
        text = path.read_bytes().decode()
        assert "".join(token.text for token in tokens(text, path.name)) == text
        assert parse(text, path.name).at("/")


def test_the_boards_configuration_names_the_files(tree: Fixture) -> None:
    layout = find_layout(str(tree.root), "p3767-0003")
    assert layout.configuration == "p3768-0000-p3767-0000-a0.conf"
    assert (layout.mb1, layout.mb2, layout.kernel, layout.notes) == (MB1, MB2, (DTB,), ())
    layout = find_layout(str(tree.root), "p3701-0005")
    assert layout.configuration == "p3737-0000-p3701-0000.conf"
    assert (layout.mb1, layout.kernel) == (MB1_AGX, (DTB_AGX,))


@pytest.mark.parametrize("style", ["override", "edit"])
def test_101_mib_and_back(tree: Fixture, style: str) -> None:
    before, kernel = contents(tree), tree.file(DTB).read_bytes()
    sizes_before = sizes(tree, MB1)
    receipt = patch(str(tree.root), "p3767-0003", style=style)
    assert sum(sizes_before.values()) - sum(sizes(tree, MB1).values()) == 101 * MIB == receipt.reclaimed_bytes
    found = differences(read_blob(kernel, DTB), read_blob(tree.file(DTB).read_bytes(), DTB))
    assert found == ("/display@13800000",)
    undo(str(tree.root))
    assert contents(tree) == before


@pytest.mark.parametrize("style", ["override", "edit"])
def test_a_patch_takes_no_two_seconds(tree: Fixture, style: str) -> None:
    begin = time.monotonic()
    patch(str(tree.root), "p3767-0003", style=style)
    assert time.monotonic() - begin < 2


def test_the_kernel_tree_decompiles_to_one_line_of_difference(tree: Fixture) -> None:
    def decompiled() -> list[str]:
        words = ["dtc", "-q", "-I", "dtb", "-O", "dts", str(tree.file(DTB))]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()

    before = decompiled()
    patch(str(tree.root), "p3767-0003", ["camera"])
    changed = [(one, other) for one, other in zip(before, decompiled(), strict=True) if one != other]
    assert changed == [('\t\tstatus = "okay";', '\t\tstatus = "disabled";')]


def test_the_ledger_is_what_the_boot_log_misses(tree: Fixture) -> None:
    log = (SHARED / "dmesg/orin-nano-super-8gb_r36.4.4_oe4t_boot.txt").read_text()
    found = holes(8 * GIB, parse_boot_log(log).ranges)
    assert found is not None
    missing = sum(span.bytes for span in found)
    assert missing == 255_360 * KIB
    assert abs(audit_tree(str(tree.root), "p3767-0003").kept_bytes - missing) <= 3 * MIB


@pytest.mark.parametrize("style", ["override", "edit"])
def test_agx_orin(tree: Fixture, style: str) -> None:
    before, sizes_before = contents(tree), sizes(tree, MB1_AGX)
    receipt = patch(str(tree.root), "p3701-0005", ["display", "camera"], style, experimental=True)
    assert receipt.reclaimed_bytes == 1048 * MIB == sum(sizes_before.values()) - sum(sizes(tree, MB1_AGX).values())
    undo(str(tree.root))
    assert contents(tree) == before
    told = plan_patch(str(tree.root), "p3701-0005", experimental=True)
    assert f"{DTB_AGX}" in {edit.path for edit in told.files}


def test_the_fixture_has_the_sizes_of_the_compiled_files(tree: Fixture) -> None:
    """The table that others computed from NVIDIA's trees: by number, for both boards and releases."""
    import csv

    for release, folder in (("r36.2", tree.root), ("r35.3.1", None)):
        made = tree if folder else make_tree(tree.root.parent / "r35", release="35.3")
        for board, main in (("p3767-0000", MB1), ("p3701-0000", MB1_AGX)):
            ours = {unit: size for unit, size in sizes(made, main).items() if size}
            with (SHARED / "bct/derived/t234_carveouts_by_bsp.csv").open() as file:
                rows = [row for row in csv.DictReader(file) if row["bsp"] == release and row["board"] == board]
            theirs = {row["carveout_id"]: int(row["size_bytes"]) for row in rows if int(row["size_bytes"])}
            assert ours == theirs, (release, board)
