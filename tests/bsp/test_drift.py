"""Trees that somebody changed since a patch: nothing is done, and what is shown can be read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from fixture_tree import DTB, MB2, Fixture, contents, make_tree, require_tools

from memfit.bsp import diff, patch, undo
from memfit.errors import Drift
from memfit.render import render

ORIN_NANO = "p3767-0003"


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    """Patched."""
    require_tools()
    tree = make_tree(tmp_path)
    patch(str(tree.root), ORIN_NANO)
    return tree


def shown(tree: Fixture) -> str:
    """What undo shows of it, and that it does nothing."""
    there = contents(tree)
    with pytest.raises(Drift, match=r"p3767-0003-nv\.dtb: somebody changed it") as drift:
        undo(str(tree.root))
    assert contents(tree) == there
    (words,) = diff(str(tree.root)).drift
    assert words.startswith(f"{DTB}: somebody changed it")
    return drift.value.diff


def set_status(tree: Fixture) -> None:
    subprocess.run(["fdtput", "-t", "s", tree.file(DTB), "/gpu@17000000", "status", "reserved"], check=True)


def test_a_blob_is_shown_as_dtc_decompiles_it(tree: Fixture) -> None:
    set_status(tree)
    lines = shown(tree).splitlines()
    assert lines[:2] == [f"--- {DTB} (applied)", f"+++ {DTB} (now)"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ['-\t\tstatus = "okay";', '+\t\tstatus = "reserved";']
    (edit,) = (edit for edit in diff(str(tree.root)).files if edit.path == DTB)
    assert "@@ /gpu@17000000 @@\n-status = okay\n+status = reserved" in edit.text


def test_without_dtc_sizes_and_sums_are_shown(tree: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree.file(DTB).stat().st_size
    set_status(tree)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    told = shown(tree)
    assert f"-{before:,} bytes, sha256 " in told
    assert f"+{tree.file(DTB).stat().st_size:,} bytes, sha256 " in told
    assert "dtc is not installed" in told


@pytest.mark.parametrize("content", [b"", b"no blob", b"\xd0\x0d\xfe\xed" + bytes(60)])
def test_what_is_no_blob_any_more(tree: Fixture, content: bytes) -> None:
    tree.file(DTB).write_bytes(content)
    told = shown(tree)
    assert f"+{len(content):,} bytes, sha256 " in told
    assert "\ufffd" not in told
    (edit,) = (edit for edit in diff(str(tree.root)).files if edit.path == DTB)
    assert f"+{len(content):,} bytes, sha256 " in edit.text
    assert "sha256" in str(render(diff(str(tree.root)), width=200))


def test_a_source_is_shown_by_its_lines(tree: Fixture) -> None:
    tree.add(MB2, "/* mine */\n")
    there = contents(tree)
    with pytest.raises(Drift, match="somebody changed it") as drift:
        undo(str(tree.root))
    assert "+/* mine */" in drift.value.diff
    assert drift.value.message.startswith(f"{tree.root}/{MB2}: ")
    assert f"{tree.root}/.memfit/journal/" in str(drift.value.hint)
    assert contents(tree) == there
    (words,) = diff(str(tree.root)).drift
    assert words.startswith(f"{MB2}: somebody changed it")


def test_a_file_that_is_gone(tree: Fixture) -> None:
    tree.file(DTB).unlink()
    with pytest.raises(Drift, match="somebody changed it") as drift:
        undo(str(tree.root))
    assert "+nothing" in drift.value.diff
    (words,) = diff(str(tree.root)).drift
    assert words.startswith(f"{DTB}: it is gone since")


def test_a_pipe_instead_of_a_file(tree: Fixture) -> None:
    tree.file(DTB).unlink()
    os.mkfifo(tree.file(DTB))
    with pytest.raises(Drift, match="somebody changed it"):
        undo(str(tree.root))
    (words,) = diff(str(tree.root)).drift
    assert words.startswith(f"{DTB}: it is no file any more since")


def test_another_mode_alone_is_told(tree: Fixture) -> None:
    tree.file(DTB).chmod(0o600)
    with pytest.raises(Drift, match="somebody changed it") as drift:
        undo(str(tree.root))
    assert "+a file of mode 0600" in drift.value.diff
