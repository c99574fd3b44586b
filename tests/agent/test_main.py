"""Requests and answers: whatever is asked, an answer comes, and it is JSON."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, SYSCTL, Board, FakeMachine, file_change, mask

from memfit.agent import main
from memfit.agent.main import answer, identity
from memfit.agent.tree import Tree


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        "status",
        {},
        {"action": None},
        {"action": ["apply"]},
        {"action": "status", "root": 7},
        {"action": "status", "root": "/\0"},
        {"action": "undo", "id": 7},
        {"action": "undo", "id": ["0001-beef"]},
        {"action": "apply", "about": []},
        {"action": "apply", "changes": [], "confirm_s": "soon"},
        {"action": "apply", "changes": [], "confirm_s": float("nan")},
        {"action": "apply", "changes": [], "confirm_s": -1},
        {"action": "status", "recover": "no"},
    ],
)
def test_what_is_no_request_is_refused(request_: Any, tmp_path: Path) -> None:
    if isinstance(request_, dict):
        request_ = {"root": str(tmp_path), **request_}
    told = answer(request_)
    assert set(told) == {"failure"}
    assert told["failure"]["kind"] == "refused"
    assert "request" in told["failure"]["message"]
    assert list(tmp_path.iterdir()) == []
    json.dumps(told)


def test_an_action_nobody_knows(board: Board) -> None:
    assert board.fails("sing")["message"] == "the agent does not know how to 'sing'"


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("none", "file"):
        told = answer({"action": "status", "root": str(tmp_path / name)})
        assert told["failure"]["message"] == f"{tmp_path / name}: there is no such folder"


def test_a_root_by_another_name_is_the_machine_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else its units would be masked and go on running, and the receipt would not know of which boot it is."""
    made: list[str] = []

    def named(name: str) -> Callable[[], FakeMachine]:
        return lambda: (made.append(name), FakeMachine())[1]  # type: ignore[func-returns-value]

    for name in ("Machine", "Image"):
        monkeypatch.setattr(main, name, named(name))
    (tmp_path / "top").symlink_to("/")
    for root in ("/", "//", "/.", "/etc/..", str(tmp_path / "top"), None, str(tmp_path)):
        answer({"action": "measure", "root": root})
    assert made == ["Machine"] * 6 + ["Image"]


def test_every_answer_is_json(board: Board) -> None:
    changes = [mask("docker.service"), file_change(CMDLINE, "é\n")]
    for action, more in (
        ("measure", {}),
        ("status", {}),
        ("apply", {"changes": changes, "about": {"knobs": ["docker"]}}),
        ("apply", {"changes": changes}),
        ("status", {"recover": True}),
        ("undo", {}),
        ("undo", {"id": "0007-beef"}),
        ("confirm", {"id": "0001-beef"}),
        ("confirm", {}),
    ):
        told = board.ask(action, **more)
        assert set(told) in ({"ok"}, {"failure"})
        assert json.loads(json.dumps(told)) == told


def test_status_tells_the_whole_history(board: Board) -> None:
    first = board.apply(file_change(CMDLINE, "one\n"))
    second = board.apply(mask("docker.service"))
    board.undo(first["id"])
    told = board.ask("status")["ok"]
    assert [(one["id"], one["state"]) for one in told["receipts"]] == [
        (first["id"], "undone"),
        (second["id"], "applied"),
    ]
    assert told["now"] == {"boot_id": "1", "memory": board.machine.memory()}
    assert told["recovered"] == []


def test_status_of_a_machine_that_was_never_changed_writes_nothing(board: Board) -> None:
    seen = sorted(board.root.rglob("*"))
    assert board.ask("status")["ok"]["receipts"] == []
    assert sorted(board.root.rglob("*")) == seen


def test_one_damaged_receipt_hides_no_other(board: Board) -> None:
    damaged = board.apply(file_change(CMDLINE, "one\n"))
    whole = board.apply(mask("docker.service"))
    board.journal(damaged, "plan.json").write_text("")
    first, second = board.ask("status", recover=True)["ok"]["receipts"]
    assert (first["id"], first["steps"]) == (damaged["id"], [])
    assert "plan.json" in first["drift"][0]["message"]
    assert (second["id"], second["drift"]) == (whole["id"], [])
    assert board.undo(whole["id"])["state"] == "undone"


def test_a_target_that_cannot_be_looked_at_hides_nothing_else(board: Board) -> None:
    board.write(SYSCTL, "zero\n")
    receipt = board.apply(file_change(SYSCTL, "one\n"))
    board.at(SYSCTL).unlink()
    board.at(SYSCTL).parent.rmdir()
    board.link("/etc/sysctl.d", "sysctl.d")  # which leads nowhere, ever
    (told,) = board.ask("status")["ok"]["receipts"]
    assert any("Too many levels" in one["message"] for one in told["drift"])
    assert "Too many levels" in board.fails("undo", id=receipt["id"])["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_history_that_may_not_be_read_is_not_called_empty() -> None:
    with tempfile.TemporaryDirectory() as made:
        board = Board(Path(made))
        board.apply(mask("docker.service"))
        for folder in (made, board.root):
            Path(folder).chmod(0o755)
        os.seteuid(65534)
        try:
            failure = board.fails("status")
        finally:
            os.seteuid(0)
    assert (failure["kind"], failure["message"]) == ("root", "/var/lib/memfit/journal: Permission denied")


def test_machines_are_told_apart_by_a_digest(tmp_path: Path) -> None:
    tree = Tree(str(tmp_path))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("board\n")  # thousands of boards are called so
    assert identity(tree) == "unknown"
    for nothing in ("", "\n", "uninitialized\n"):
        (tmp_path / "etc/machine-id").write_text(nothing)
        assert identity(tree) == "unknown"
    (tmp_path / "etc/machine-id").write_text("0123\n")
    assert identity(tree) == hashlib.sha256(b"memfit 0123").hexdigest()[:16]
    (tmp_path / "etc/machine-id").unlink()
    (tmp_path / "var/lib/dbus").mkdir(parents=True)
    (tmp_path / "var/lib/dbus/machine-id").write_text("0123")
    assert identity(tree) == hashlib.sha256(b"memfit 0123").hexdigest()[:16]
