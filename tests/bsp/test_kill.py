"""Death at every write of a patch and of its undo: what is found afterwards is exactly before or exactly after."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from fixture_tree import Fixture, contents, make_tree, require_tools

from memfit.bsp import diff, patch, plan_patch, undo
from memfit.errors import ApplyError

ORIN_NANO = "p3767-0003"
WRITING = ("open", "write", "rename", "link", "unlink", "rmdir", "mkdir", "fsync", "fchmod", "chmod", "utime")
_DEAD, _FAILED = 77, 78


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


@contextmanager
def quickly(tree: Fixture) -> Iterator[None]:
    """The same patch many times: planned once; nothing is flushed, which loses nothing where only a process dies."""
    room = importlib.import_module("memfit.bsp.patch")
    planned = room._planned(str(tree.root), ORIN_NANO, (), "edit", False, None)
    with mock.patch.object(room, "_planned", return_value=planned), mock.patch.object(os, "fsync"):
        yield


@pytest.fixture
def _quick(tree: Fixture) -> Iterator[None]:
    with quickly(tree):
        yield


def dies(work: Callable[[], object], at: int, *, half: bool) -> bool:
    """Whether a child comes to its write number ``at`` and dies before it, or with half of it written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = _FAILED
        try:
            with doomed(at, half=half):
                work()
            status = 0
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, _DEAD)
    return code == _DEAD


def doomed(at: int, *, half: bool) -> Any:
    """Every call that writes below the tree counts; the one before which it dies is ``at``."""
    done = 0

    def instead(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def called(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            only_reads = name == "open" and not arguments[1] & os.O_CREAT
            if only_reads or not _in_journal_or_tree(arguments, named):
                return real(*arguments, **named)
            if done == at:
                if half and name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os._exit(_DEAD)
            done += 1
            return real(*arguments, **named)

        return called

    others: dict[str, Any] = {name: instead(name) for name in WRITING}
    return mock.patch.multiple(os, **others)


def _in_journal_or_tree(arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """The agent names files by their folders' descriptors, or is given a file's own; others name paths."""
    return isinstance(arguments[0], int) or "dir_fd" in named or "src_dir_fd" in named


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("half", [False, True])
def test_a_patch_that_dies_anywhere(tree: Fixture, half: bool) -> None:
    before = contents(tree)
    receipt = patch(str(tree.root), ORIN_NANO, style="edit")
    after = contents_without_times(tree)
    undo(str(tree.root), receipt.id)
    assert contents(tree) == before
    seen, at = set(), 0
    while dies(lambda: patch(str(tree.root), ORIN_NANO, style="edit"), at, half=half):
        state = settle(tree)
        seen.add(state)
        if state == "before":
            assert contents(tree) == before, at
        else:
            assert contents_without_times(tree) == after, at
            undo(str(tree.root))
            assert contents(tree) == before, at
        at += 1
    assert at > 60
    assert seen == {"before", "after"}


@pytest.mark.usefixtures("_quick")
def test_an_undo_that_dies_anywhere(tree: Fixture) -> None:
    before = contents(tree)
    at = 0
    patch(str(tree.root), ORIN_NANO)
    while dies(lambda: undo(str(tree.root)), at, half=False):
        if settle(tree) == "after":
            undo(str(tree.root))
        assert contents(tree) == before, at
        patch(str(tree.root), ORIN_NANO)
        at += 1
    assert at > 20
    assert contents(tree) == before


@pytest.mark.parametrize("then", ["undo", "patch"])
def test_what_was_interrupted_is_told_and_taken_back_first(tree: Fixture, then: str) -> None:
    before = contents(tree)
    with quickly(tree):
        at = 0
        while not list(tree.root.glob(".memfit/journal/*.open")):
            assert dies(lambda: patch(str(tree.root), ORIN_NANO), at, half=False)
            at += 1
    (interrupted,) = diff(str(tree.root)).interrupted
    with pytest.raises(ApplyError, match=f"{interrupted} was interrupted half-way"):
        plan_patch(str(tree.root), ORIN_NANO)
    if then == "undo":
        assert (undo(str(tree.root)).id, contents(tree)) == (interrupted, before)
    else:
        assert patch(str(tree.root), ORIN_NANO).state == "applied"
        undo(str(tree.root))
        assert contents(tree) == before


def settle(tree: Fixture) -> str:
    """What recovery makes of it: the next patch or undo begins with it."""
    with pytest.raises(ApplyError, match="no receipt"):
        undo(str(tree.root), "9999-dead")
    left = [path for path in tree.root.rglob("*") if ".memfit-" in path.name]
    assert not left
    journal = tree.root / ".memfit/journal"
    states = [path.suffix for path in journal.iterdir() if path.suffix] if journal.is_dir() else []
    assert not set(states) & {".staging", ".open", ".undoing"}
    return "after" if ".applied" in states else "before"


def contents_without_times(tree: Fixture) -> dict[str, tuple[bytes, int]]:
    return {path: (content, mode) for path, (content, mode, _) in contents(tree).items()}
