"""What programs set, and what somebody set by hand since."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from board import Board, mode, run

from memfit.agent.journal import Journal
from memfit.agent.shown import ending

QUERY, SHOW = "nvpmodel -q", "jetson_clocks --show"
POWER = run("nvpmodel -m 2", "nvpmodel -m 1", lasting=True)
CLOCKS = run("jetson_clocks", "jetson_clocks --restore /run/memfit-clocks-1")
TMP = run("mount -o remount,size=1048576 /tmp", "mount -o remount,size=2097152 /tmp")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    made = Board(tmp_path)
    made.machine.shown = {QUERY: mode("1")}
    return made


def clocks(*held: str) -> str:
    """As jetson_clocks of L4T R36 says it; rates of the moment, and what is held."""
    cpus = [
        f"cpu{cpu}: Online=1 Governor=schedutil MinFreq={1510400 if f'cpu{cpu}' in held else 729600} MaxFreq=1510400 "
        f"CurrentFreq={729600 + cpu} IdleStates: WFI=1 c7=1 "
        for cpu in range(2)
    ]
    gpu = f"GPU MinFreq={624750000 if 'GPU' in held else 306000000} MaxFreq=624750000 CurrentFreq=306000000"
    return "\n".join(("SOC family:tegra234  Machine:Orin", *cpus, gpu, "NV Power Mode: 15W", ""))


def test_a_mode_that_somebody_set_since_is_theirs(board: Board) -> None:
    receipt = board.apply(POWER)
    assert board.ask("status")["ok"]["receipts"][0]["drift"] == []
    board.machine.shown[QUERY] = mode("0")
    failure = board.fails("undo")
    assert failure["kind"] == "drift"
    assert failure["message"] == f"nvpmodel -m 2: somebody set it anew since {receipt['id']} was applied"
    assert failure["diff"] == "-MODE_2 (2)\n+MODE_0 (0)"
    assert board.ask("status")["ok"]["receipts"][0]["drift"][0]["message"] == failure["message"]
    assert board.machine.ran == ["nvpmodel -m 2"]
    assert board.undo(keep_theirs=True)["theirs"] == ["nvpmodel -m 2"]
    assert board.machine.ran == ["nvpmodel -m 2"]
    assert board.machine.shown[QUERY] == mode("0")


def test_it_is_taken_back_where_it_is_as_it_was_left_or_as_it_was(board: Board) -> None:
    for now in ("2", "1"):
        board.apply(POWER)
        board.machine.shown[QUERY] = "NV Fan Mode:cool\n" + mode(now).partition("\n")[2]  # no setting of ours
        board.machine.boot += "0"
        assert board.undo(keep_theirs=True)["theirs"] == []
        assert board.machine.shown[QUERY] == mode("1")


def test_a_later_mode_of_memfits_own_is_nobodys_edit(board: Board) -> None:
    board.apply(POWER)
    board.apply(run("nvpmodel -m 0", "nvpmodel -m 2", lasting=True))
    assert [receipt["drift"] for receipt in board.ask("status")["ok"]["receipts"]] == [[], []]
    board.undo()
    board.undo()
    assert board.machine.shown[QUERY] == mode("1")


def test_clocks_that_somebody_let_go_since(board: Board) -> None:
    board.machine.shown[SHOW] = clocks("cpu0")
    machine, real = board.machine, board.machine.run

    def held(words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        if words == ["jetson_clocks"]:
            machine.shown[SHOW] = clocks("cpu0", "cpu1", "GPU")
        return real(words, most_s)

    machine.run = held  # type: ignore[method-assign]
    first = board.apply(CLOCKS)
    machine.shown[SHOW] = clocks("cpu1", "GPU")
    assert board.fails("undo")["diff"] == "-cpu0 held\n+cpu0 729600 to 1510400"
    machine.shown[SHOW] = clocks("cpu0", "GPU").replace("MinFreq=729600", "MinFreq=1000000")
    assert board.fails("undo")["diff"] == "-cpu1 held\n+cpu1 1000000 to 1510400"
    machine.shown[SHOW] = clocks("cpu0", "cpu1", "GPU").replace("1510400", "1190400")  # too hot for more
    assert board.ask("status")["ok"]["receipts"][0]["drift"] == []
    machine.shown[SHOW] = clocks("cpu0", "GPU")  # cpu1 is as it was
    assert board.ask("status")["ok"]["receipts"][0]["drift"] == []
    later = board.apply(POWER)
    machine.shown[SHOW] = clocks()
    assert [receipt["drift"] for receipt in board.ask("status")["ok"]["receipts"]] == [[], []]
    assert board.fails("undo", id=first["id"])["hint"] == f"undo {later['id']} first"
    board.undo()
    machine.ran.clear()
    machine.boot = "2"  # nothing of it is left after one
    assert board.undo()["state"] == "undone"
    assert machine.ran == []


def test_a_bound_of_files_in_memory(board: Board) -> None:
    query = "findmnt --noheadings --output OPTIONS --mountpoint /tmp"
    board.machine.shown[query] = "rw,nosuid,nodev,size=1024k,inode64\n"
    board.apply(TMP)
    board.machine.shown[query] = "rw,nosuid,nodev,size=4096k\n"
    assert board.fails("undo")["diff"] == "-size=1024k\n+size=4096k"
    board.machine.shown[query] = "rw,size=1024k\n"
    board.undo()
    assert board.machine.ran[-1] == " ".join(TMP["undo"])


def test_what_cannot_be_asked_goes_back_as_before(board: Board) -> None:
    board.machine.shown.clear()
    board.apply(POWER, CLOCKS, TMP)
    board.machine.shown[QUERY] = mode("0")  # nobody knows what it was
    assert board.undo()["state"] == "undone"
    assert "nvpmodel -m 1" in board.machine.ran


def test_a_way_back_that_was_begun_is_gone_to_its_end(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = board.apply(POWER)
    board.machine.broken = {"nvpmodel -m 1": "not now"}
    board.fails("undo")
    assert board.states() == {"undoing"}
    assert list(board.at("/var/lib/memfit/journal").glob(f"*/{ending(receipt['steps'][0])}.json"))
    board.machine.shown[QUERY] = mode("7")  # half of the way
    board.machine.broken = {}
    board.undo()
    assert board.machine.shown[QUERY] == mode("1")
    board.apply(POWER)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Journal, "note", full)
    assert board.undo()["state"] == "undone"
