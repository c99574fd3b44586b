"""Files that only take room."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from board import SYSTEM, Board, file_change, run

from memfit.agent.acts import Acts
from memfit.agent.spaces import Spaces

SWAP = "/swap.memfit"
SIZE = 64 << 10


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def space(size: int = SIZE, path: str = SWAP) -> dict[str, Any]:
    return {"kind": "space", "path": path, "bytes": size}


def used(board: Board) -> dict[str, Any]:
    """A swap file, in use."""
    return board.apply(space(), run(f"mkswap {SWAP}", ""), run(f"swapon {SWAP}", f"swapoff {SWAP}", lasting=True))


def test_it_is_whole_and_of_root_alone_and_goes_again(board: Board) -> None:
    before = board.seen()
    receipt = used(board)
    file = board.at(SWAP).stat()
    assert (file.st_size, file.st_mode & 0o777) == (SIZE, 0o600)
    assert file.st_blocks * 512 >= SIZE
    assert board.machine.swaps == {SWAP}
    assert not list(board.root.glob(".swap*"))
    board.at(SWAP).write_bytes(b"other pages" + bytes(SIZE - 11))  # what is swapped there is nobody's edit
    assert board.ask("status")["ok"]["receipts"][0]["drift"] == []
    board.undo(receipt["id"])
    assert board.seen() == before
    assert board.machine.swaps == set()


def test_it_is_removed_after_a_boot_too_and_once_nothing_uses_it(board: Board) -> None:
    used(board)
    board.machine.boot = "2"
    board.machine.ran.clear()
    there = []
    board.machine.broken = {}
    real = board.machine.run

    def watched(words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        there.append((words[0], board.at(SWAP).exists()))
        return real(words, most_s)

    board.machine.run = watched  # type: ignore[method-assign]
    board.undo()
    assert there == [("swapoff", True)]
    assert not board.at(SWAP).exists()


def test_a_swapoff_that_finds_no_room_leaves_it_and_the_next_undo_goes_on(board: Board) -> None:
    used(board)
    board.machine.broken = {f"swapoff {SWAP}": "Cannot allocate memory"}
    failure = board.fails("undo")
    assert failure["kind"] == "undo"
    assert board.at(SWAP).exists()
    board.machine.broken = {}
    board.undo()
    assert not board.at(SWAP).exists()
    assert board.states() == {"undone"}


def test_a_swapon_that_fails_takes_everything_back(board: Board) -> None:
    board.machine.broken = {f"swapon {SWAP}": "Invalid argument"}
    changes = (space(), run(f"mkswap {SWAP}", ""), run(f"swapon {SWAP}", f"swapoff {SWAP}"))
    assert "Invalid argument" in board.refuses(*changes, kind="apply")


def test_what_is_there_is_not_taken_not_even_its_own_of_before(board: Board) -> None:
    board.write(SWAP, "mine\n")
    assert "is there already" in board.refuses(space())
    board.at(SWAP).unlink()
    board.link(SWAP, "/etc/machine-id")
    assert "is there already" in board.refuses(space())
    board.at(SWAP).unlink()
    used(board)
    assert "is there already" in board.refuses(space())
    assert "is there already" in board.refuses(space(2 * SIZE))


def test_somebodys_file_of_the_very_size_is_never_written_over(board: Board) -> None:
    board.write(SWAP, "m" * SIZE, 0o600)
    changes = (space(), run(f"mkswap {SWAP}", ""), run(f"swapon {SWAP}", f"swapoff {SWAP}"))
    said = board.refuses(*changes)
    assert said == f"{SWAP} is there already, and what is in it would be written over"
    assert "else rename it" in board.fails("apply", changes=list(changes))["hint"]
    for words in changes[1:], (run(f"swapoff {SWAP}", f"mkswap {SWAP}"),):
        assert "is not made by this very change" in board.refuses(*words)
    assert not board.machine.ran
    assert board.at(SWAP).read_text() == "m" * SIZE


def test_undo_knows_the_very_file_that_was_made(board: Board) -> None:
    used(board)
    other = board.write("/other", "m" * SIZE, 0o600)
    other.rename(board.at(SWAP))
    assert "another file" in board.fails("undo")["diff"]
    assert board.undo(keep_theirs=True)["theirs"] == [SWAP]
    assert board.at(SWAP).read_text() == "m" * SIZE


def test_what_was_made_is_known_after_a_death_and_what_was_not_stays(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    changes = [space(), run(f"mkswap {SWAP}", ""), run(f"swapon {SWAP}", f"swapoff {SWAP}")]
    for where, name in ((Acts, "act"), (Spaces, "put")):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, killed)
            with pytest.raises(Killed):
                board.ask("apply", changes=changes)
        assert "open" in board.states()
        if where is Spaces:  # ours never had the name, and somebody takes it meanwhile
            board.write(SWAP, "m" * SIZE, 0o600)
        board.ask("status", recover=True)
        assert board.states() == {"undone"}
        assert board.at(SWAP).exists() == (where is Spaces)
        assert not list(board.root.glob(".swap*"))


def test_what_somebody_put_in_its_place_stays(board: Board) -> None:
    used(board)
    board.at(SWAP).unlink()
    board.write(SWAP, "mine\n", 0o600)
    failure = board.fails("undo")
    assert failure["kind"] == "drift"
    assert f"-{SIZE} bytes" in failure["diff"]
    receipt = board.undo(keep_theirs=True)
    assert receipt["theirs"] == [SWAP]
    assert board.at(SWAP).read_text() == "mine\n"


@pytest.mark.parametrize("size", [0, -4096, 5, 1 << 60, "4096", True, None, 4097])
def test_odd_sizes_are_refused(board: Board, size: object) -> None:
    board.refuses({"kind": "space", "path": SWAP, "bytes": size})


def test_without_room_nothing_is_begun(board: Board) -> None:
    disk = os.statvfs(board.root)
    size = disk.f_bavail * disk.f_frsize // 4096 * 4096
    assert "too few" in board.refuses(space(size), kind="apply")
    unit = file_change(f"{SYSTEM}/swap.memfit.swap", "[Swap]\n")
    assert board.apply(unit)["state"] == "applied"


def test_an_image_gets_none(board: Board) -> None:
    board.machine.live = False
    assert board.apply(space())["state"] == "nothing to do"
