"""Trees that may not be read or written: told with the place and what to do, and nothing is changed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fixture_tree import BCT, COMMON, DTB, MB1, Fixture, contents, make_tree, require_tools

from memfit.bsp import audit_tree, diff, patch, plan_patch, undo
from memfit.errors import ApplyError, MemfitError, NeedsRoot
from memfit.units import MIB

ORIN_NANO = "p3767-0003"
_NOBODY = 65534
_MOUNTED = 'mount --bind -o ro "$1" "$1" && exec "$2" -c "$3" "$1"'
_SCRIPT = """
import sys
from memfit.bsp import audit_tree, diff, patch, plan_patch, undo
from memfit.errors import MemfitError
root = sys.argv[1]
print(audit_tree(root, "p3767-0003").published_bytes, len(diff(root).receipts))
for change in (lambda: patch(root, "p3767-0003"), lambda: undo(root)):
    try:
        print(change().state)
    except MemfitError as error:
        print(type(error).__name__, error.message, "|", error.hint)
"""


@pytest.fixture
def tree() -> Iterator[Fixture]:
    """In a folder that others may enter."""
    require_tools()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        tree = make_tree(Path(folder))
        plan_patch(str(tree.root), ORIN_NANO)  # whoever is somebody else may not be able to import
        yield tree


@contextmanager
def nobody() -> Iterator[None]:
    """Root may do everything; whoever is somebody else may not change what is root's."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a tree that is somebody else's")
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def read_only(tree: Fixture) -> list[str]:
    """What is said of a tree on a disk that is mounted read-only."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("needs root and unshare to mount")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _MOUNTED, "sh", tree.root, sys.executable, _SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr:
        pytest.skip(f"no mounts here: {done.stderr.strip()}")
    return done.stdout.splitlines()


def test_a_tree_that_is_read_only(tree: Fixture) -> None:
    before = contents(tree)
    found, patched, undone = read_only(tree)
    assert found == f"{101 * MIB} 0"
    assert patched.startswith(f"ApplyError {tree.root}/.memfit/journal: Read-only file system")
    assert "mount it writable, or copy the tree" in patched
    assert undone.startswith("ApplyError nothing is applied here") or "Read-only" in undone
    assert contents(tree) == before
    assert not (tree.root / ".memfit").exists()


def test_a_patched_tree_that_is_read_only(tree: Fixture) -> None:
    before = contents(tree)
    patch(str(tree.root), ORIN_NANO)
    patched = contents(tree)
    found, again, undone = read_only(tree)
    assert found == "0 1"
    assert "Read-only file system" in again or again == "nothing to do"
    assert undone.startswith("ApplyError")
    assert "Read-only file system | it is mounted read-only: mount it writable" in undone
    assert contents(tree) == patched
    undo(str(tree.root))
    assert contents(tree) == before


def test_a_tree_of_somebody_else(tree: Fixture) -> None:
    before = contents(tree)
    with nobody():
        assert plan_patch(str(tree.root), ORIN_NANO).reclaimed_bytes == 101 * MIB
        with pytest.raises(NeedsRoot, match=f"{tree.root}/.memfit/journal: Permission denied") as caught:
            patch(str(tree.root), ORIN_NANO)
    assert "sudo" in str(caught.value.hint)
    assert caught.value.exit_code == 3
    assert contents(tree) == before


def test_a_patch_of_somebody_else(tree: Fixture) -> None:
    """The journal holds what files were, and is its owner's alone."""
    patch(str(tree.root), ORIN_NANO)
    patched = contents(tree)
    with nobody():
        for change in (
            lambda: undo(str(tree.root)),
            lambda: diff(str(tree.root)),
            lambda: patch(str(tree.root), ORIN_NANO),
        ):
            with pytest.raises(NeedsRoot, match="Permission denied") as caught:
                change()
            assert "sudo" in str(caught.value.hint)
    assert contents(tree) == patched


@pytest.mark.parametrize("file", [MB1, COMMON, DTB])
def test_a_file_that_may_not_be_read(tree: Fixture, file: str) -> None:
    tree.file(file).chmod(0)
    with nobody():
        with pytest.raises(NeedsRoot, match=f"{Path(file).name.replace('+', '.')}.*Permission denied") as caught:
            plan_patch(str(tree.root), ORIN_NANO)
        assert "sudo" in str(caught.value.hint)


@pytest.mark.parametrize("mode", [0, 0o444, 0o111])
@pytest.mark.parametrize("folder", [BCT, "kernel/dtb"])
def test_a_folder_that_may_not_be_entered(tree: Fixture, folder: str, mode: int) -> None:
    (tree.root / folder).chmod(mode)
    with nobody(), pytest.raises(MemfitError) as caught:
        plan_patch(str(tree.root), ORIN_NANO)
    (tree.root / folder).chmod(0o755)
    assert isinstance(caught.value, NeedsRoot), caught.value.message


def test_a_file_that_not_even_root_may_change(tree: Fixture) -> None:
    if shutil.which("chattr") is None or os.geteuid() != 0:
        pytest.skip("needs root and chattr")
    done = subprocess.run(["chattr", "+i", tree.file(DTB)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no such attribute here: {done.stderr.strip()}")
    before = contents(tree)
    try:
        with pytest.raises(ApplyError, match="Operation not permitted") as caught:
            patch(str(tree.root), ORIN_NANO)
    finally:
        subprocess.run(["chattr", "-i", tree.file(DTB)], check=True)
    assert "lsattr" in str(caught.value.hint)
    assert contents(tree) == before
    assert patch(str(tree.root), ORIN_NANO).state == "applied"


@pytest.mark.parametrize("error", [errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_rename_that_the_kernel_refuses(tree: Fixture, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Behind the first file is too late to say no without going back."""
    before, real = contents(tree), os.rename

    def refusing(source: Any, target: Any, **folders: Any) -> None:
        if str(target).endswith(".dtb"):
            raise OSError(error, os.strerror(error))
        real(source, target, **folders)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", refusing)
        with pytest.raises(ApplyError, match=os.strerror(error)) as caught:
            patch(str(tree.root), ORIN_NANO)
    assert caught.value.message.startswith(str(tree.root))
    assert caught.value.hint
    with suppress(ApplyError):  # it took everything back itself
        undo(str(tree.root))
    assert contents(tree) == before
    assert audit_tree(str(tree.root), ORIN_NANO).published_bytes == 101 * MIB
