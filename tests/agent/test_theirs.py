"""What somebody changed since stays as it is, where that was asked for, and the rest goes back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, SYSCTL, SYSTEM, Board, file_change, mask

DOCKER = f"{SYSTEM}/docker.service"
DROP_IN = "/etc/systemd/journald.conf.d/60-memfit.conf"


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def applied(board: Board) -> dict[str, Any]:
    unit = {"kind": "unit", "unit": "docker.service", "active": False}
    return board.apply(file_change(CMDLINE, "splash\n"), file_change(DROP_IN, "a\n"), mask("docker.service"), unit)


def test_the_edit_stays_and_the_rest_goes_back(board: Board) -> None:
    before = board.seen()
    receipt = applied(board)
    assert receipt["theirs"] == []
    board.write(CMDLINE, "mine\n", 0o640)
    edited = board.seen()[CMDLINE.lstrip("/")]
    assert board.fails("undo")["kind"] == "drift"
    undone = board.undo(keep_theirs=True)
    assert (undone["state"], undone["theirs"]) == ("undone", [CMDLINE])
    assert board.seen() == {**before, CMDLINE.lstrip("/"): edited}
    assert board.machine.units["docker.service"] == "active"
    assert board.states() == {"undone"}
    (told,) = board.ask("status")["ok"]["receipts"]
    assert told["theirs"] == [CMDLINE]
    # what it held before memfit is still there for whoever wants it
    assert board.journal(undone, "before-0").read_text() == "quiet\n"


def test_without_an_edit_it_is_an_undo_as_any(board: Board) -> None:
    before = board.seen()
    applied(board)
    assert board.undo(keep_theirs=True)["theirs"] == []
    assert board.seen() == before


@pytest.mark.parametrize("edit", ["gone", "link", "folder", "its folder gone"])
def test_whatever_they_made_of_it_stays(board: Board, edit: str) -> None:
    before = board.seen()
    applied(board)
    file = board.at(CMDLINE)
    file.unlink()
    if edit == "link":
        file.symlink_to("/elsewhere")
    elif edit == "folder":
        file.mkdir()
    elif edit == "its folder gone":
        file.parent.rmdir()
    undone = board.undo(keep_theirs=True)
    assert undone["theirs"] == [CMDLINE]
    now = board.seen()
    mine = {"etc/kernel", CMDLINE.lstrip("/")}
    assert {path: what for path, what in now.items() if path not in mine} == {
        path: what for path, what in before.items() if path not in mine
    }
    assert (CMDLINE.lstrip("/") in now) == (edit in ("link", "folder"))


def test_their_file_in_a_folder_of_ours_keeps_the_folder(board: Board) -> None:
    applied(board)
    board.write(DROP_IN, "theirs\n")
    assert board.undo(keep_theirs=True)["theirs"] == [DROP_IN]
    assert board.at(DROP_IN).read_text() == "theirs\n"


def test_an_undo_that_is_stuck_half_way_goes_on(board: Board) -> None:
    """Somebody edits after the undo had begun: recovery says so, and this is the way on."""
    before = board.seen()
    receipt = applied(board)
    other = board.apply(file_change(SYSCTL, "vm.swappiness=1\n"))
    folder = board.journal(receipt, "plan.json").parent
    folder.rename(folder.with_suffix(".undoing"))
    board.write(CMDLINE, "mine\n", 0o640)
    for action in ("undo", "status"):
        failure = board.fails(action, recover=True)
        assert (failure["kind"], bool(failure["diff"])) == ("drift", True)
    undone = board.undo(keep_theirs=True)
    assert (undone["id"], undone["state"], undone["theirs"]) == (receipt["id"], "undone", [CMDLINE])
    assert board.at(SYSCTL).exists()  # only the one that was meant
    assert board.undo()["id"] == other["id"]
    assert {**board.seen(), CMDLINE.lstrip("/"): None} == {**before, CMDLINE.lstrip("/"): None}


def agreed(note: Path) -> None:
    text = json.dumps({"targets": {"0": CMDLINE}})
    note.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


@pytest.mark.parametrize("text", ['{"targets": {"0": "/etc/kernel/cmdline"}}', '{"targets": ["x"]}', ""])
def test_an_agreement_that_somebody_wrote_is_none(board: Board, text: str) -> None:
    receipt = applied(board)
    board.write(CMDLINE, "mine\n", 0o640)
    note = board.journal(receipt, "theirs.json")
    note.write_text(text)
    note.parent.rename(note.parent.with_suffix(".undoing"))
    assert board.fails("status", recover=True)["kind"] == "drift"
    assert board.at(CMDLINE).read_text() == "mine\n"


def test_what_was_agreed_holds_for_recovery_and_not_for_a_later_undo(board: Board) -> None:
    receipt = applied(board)
    board.write(CMDLINE, "mine\n", 0o640)
    note = board.journal(receipt, "theirs.json")
    agreed(note)  # agreed, and killed before anything was taken back
    assert board.ask("status")["ok"]["receipts"][0]["theirs"] == []
    assert board.fails("undo")["kind"] == "drift"
    note.parent.rename(note.parent.with_suffix(".undoing"))  # agreed, begun, and killed
    assert board.ask("status", recover=True)["ok"]["recovered"] == [receipt["id"]]
    assert board.at(CMDLINE).read_text() == "mine\n"
    assert not board.at(DOCKER).is_symlink()


def test_what_was_agreed_and_is_ours_again_goes_back(board: Board) -> None:
    before = board.seen()
    receipt = applied(board)
    note = board.journal(receipt, "theirs.json")
    agreed(note)
    note.parent.rename(note.parent.with_suffix(".undoing"))
    (told,) = board.ask("status", recover=True)["ok"]["receipts"]
    assert (told["state"], told["theirs"]) == ("undone", [])
    assert board.seen() == before


def test_a_later_change_of_the_same_still_goes_first(board: Board) -> None:
    older, newer = (board.apply(file_change(CMDLINE, text)) for text in ("one\n", "two\n"))
    failure = board.fails("undo", id=older["id"], keep_theirs=True)
    assert failure["hint"] == f"undo {newer['id']} first"


def test_the_oldest_is_told_before_it_is_forgotten(board: Board) -> None:
    oldest = board.apply(file_change(CMDLINE, "first\n"))
    for number in range(21):
        board.undo(board.apply(file_change(SYSCTL, f"{number}\n"))["id"])
    assert board.undo(oldest["id"])["state"] == "undone"
