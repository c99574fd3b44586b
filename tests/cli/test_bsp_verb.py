"""memfit bsp as one types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixture_tree import Fixture, contents, make_tree, require_tools

from memfit.cli._group import run as run_words

BOARD = ("--board", "p3767-0003")


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run_words(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_looked_at_patched_shown_and_taken_back(tree: Fixture, capsys: pytest.CaptureFixture[str]) -> None:
    root, before = str(tree.root), contents(tree)
    code, out, _ = run(capsys, "bsp", "audit", root, *BOARD)
    assert code == 0
    assert "101.0 MiB could go" in out
    code, out, _ = run(capsys, "bsp", "patch", root, *BOARD, "--needs", "none", "--dry-run")
    assert code == 0
    assert "101.0 MiB to win" in out
    assert "/delete-node/ auxp_ast_config@6;" in out
    assert "l4t_initrd_flash.sh" in out
    assert contents(tree) == before
    both = ("--needs", "display", "--needs", "camera", "--dry-run")
    assert "to win" not in run(capsys, "bsp", "patch", root, *BOARD, *both)[1]
    code, out, err = run(capsys, "bsp", "patch", root, *BOARD, "--needs", "camera")
    assert (code, "nobody is there to ask" in err) == (2, True)
    assert contents(tree) == before
    code, out, _ = run(capsys, "bsp", "patch", root, *BOARD, "--needs", "camera", "--yes", "--json")
    assert code == 0
    receipt = json.loads(out)
    assert (receipt["state"], receipt["reclaimed_bytes"]) == ("applied", 68 << 20)
    code, out, _ = run(capsys, "bsp", "diff", root)
    assert code == 0
    assert receipt["id"] in out
    code, out, _ = run(capsys, "bsp", "diff", root, *BOARD, "--needs", "none", "--style", "edit", "--json")
    assert code == 0
    assert json.loads(out)["reclaimed_bytes"] == 33 << 20
    code, out, _ = run(capsys, "bsp", "undo", root, "--dry-run")
    assert code == 0
    assert contents(tree) != before
    code, out, _ = run(capsys, "bsp", "undo", root, receipt["id"], *BOARD, "--needs", "camera")
    assert code == 0
    assert "every file is as it was" in out
    assert contents(tree) == before


def test_an_edit_since_is_shown(tree: Fixture, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tree.root)
    run(capsys, "bsp", "patch", root, *BOARD, "--needs", "none", "--yes")
    tree.add("bootloader/generic/BCT/tegra234-mb2-bct-misc-p3767-0000.dts", "// mine\n")
    code, _, err = run(capsys, "bsp", "undo", root)
    assert code == 5
    assert "+// mine" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("patch", "TREE", *BOARD), 2, "--needs"),
        (("patch", "TREE", "--needs", "none"), 2, "--board"),
        (("patch", "TREE", *BOARD, "--needs", "displays"), 2, "did you mean display?"),
        (("patch", "TREE", "--board", "p3767-003", "--needs", "none"), 2, "did you mean p3767_0003"),
        (("patch", "TREE", *BOARD, "--needs", "none", "--style", "both", "--dry-run"), 2, "unknown style: 'both'"),
        (("audit", "TREE/kernel", *BOARD), 2, "no BSP tree"),
        (("diff", "TREE", "--needs", "none"), 2, "--needs without --board"),
        (("undo", "TREE"), 5, "nothing is applied"),
        (("undo", "TREE", "--needs", "displays"), 2, "did you mean display?"),
    ],
)
def test_what_is_refused(
    tree: Fixture, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    given = [word.replace("TREE", str(tree.root)) for word in words]
    found, _, err = run(capsys, "bsp", *given)
    assert found == code, err
    assert said in err
    assert "Traceback" not in err
