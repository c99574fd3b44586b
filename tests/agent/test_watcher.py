"""The dead man's switch: what nobody confirms is taken back, and nothing keeps it from that."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, Board, file_change, mask

from memfit.agent import watcher
from memfit.agent.failure import Failure
from memfit.agent.journal import Entry, Journal
from memfit.agent.main import identity
from memfit.agent.transaction import Transactions
from memfit.agent.tree import Tree

MOST_S = 60.0


class Clock:
    """Time that passes only where somebody sleeps; ``at`` happens at its second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at: dict[float, Callable[[], Any]] = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for second in sorted(second for second in self.at if second <= self.now):
            self.at.pop(second)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "sleep", made.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def transactions(board: Board) -> Transactions:
    tree = Tree(str(board.root))
    return Transactions(tree, board.machine, identity(tree))


def wait(transactions: Transactions, id: str, take_back: Callable[[], None] | None = None) -> None:
    watcher._wait(transactions.journal, id, MOST_S, take_back or (lambda: taken_back(transactions, id)))


def taken_back(transactions: Transactions, id: str) -> None:
    transactions.undo(id, confirmed_stays=True)


def test_what_nobody_confirms_is_taken_back_in_time(board: Board, transactions: Transactions, clock: Clock) -> None:
    before = board.seen()
    receipt = board.apply(mask("docker.service"))
    wait(transactions, receipt["id"])
    assert board.seen() == before
    assert MOST_S <= clock.now < MOST_S + 2


def test_what_is_confirmed_stays(board: Board, transactions: Transactions, clock: Clock) -> None:
    receipt = board.apply(mask("docker.service"))
    clock.at[30.0] = lambda: board.ask("confirm", id=receipt["id"])
    wait(transactions, receipt["id"])
    assert board.states() == {"applied"}
    assert clock.now < 32


def test_what_is_confirmed_at_the_last_moment_stays(board: Board, transactions: Transactions, clock: Clock) -> None:
    """Between the watcher's last look and its turn: whoever was told that it is confirmed can rely on it."""
    receipt = board.apply(mask("docker.service"))

    def take_back() -> None:
        assert board.ask("confirm", id=receipt["id"]) == {"ok": {}}
        taken_back(transactions, receipt["id"])

    wait(transactions, receipt["id"], take_back)
    assert board.states() == {"applied"}


def test_nobody_can_confirm_what_is_taken_back(board: Board, transactions: Transactions, clock: Clock) -> None:
    receipt = board.apply(mask("docker.service"))
    wait(transactions, receipt["id"])
    assert "nobody confirmed it in time" in board.fails("confirm", id=receipt["id"])["message"]


def test_nothing_is_confirmed_while_it_is_being_taken_back(board: Board, clock: Clock) -> None:
    receipt = board.apply(mask("docker.service"))
    with Journal(Tree(str(board.root))).lock():
        assert board.fails("confirm", id=receipt["id"])["kind"] == "busy"
    assert not board.journal(receipt, "confirmed.json").exists()


def test_another_one_at_work_only_delays_it(board: Board, transactions: Transactions, clock: Clock) -> None:
    before = board.seen()
    receipt = board.apply(mask("docker.service"))
    other = Journal(Tree(str(board.root))).lock()
    clock.at[MOST_S - 1] = other.__enter__
    clock.at[MOST_S + 9] = lambda: other.__exit__(None, None, None)
    wait(transactions, receipt["id"])
    assert board.seen() == before
    assert clock.now < MOST_S + 11


def test_it_keeps_nobody_from_their_turn(board: Board, transactions: Transactions, clock: Clock) -> None:
    receipt = board.apply(mask("docker.service"))
    held: list[float] = []

    def look() -> None:
        if "failure" in board.ask("status", recover=True):
            held.append(clock.now)

    find = transactions.journal.find

    def looked_meanwhile(id: str) -> Entry:
        look()
        return find(id)

    transactions.journal.find = looked_meanwhile  # type: ignore[method-assign]
    wait(transactions, receipt["id"], lambda: None)
    assert clock.now >= MOST_S
    assert not held


@pytest.mark.parametrize("state", ["staging", "open"])
def test_what_a_dead_one_left_is_taken_back_at_once(
    board: Board, transactions: Transactions, clock: Clock, state: str
) -> None:
    board.apply(mask("docker.service"))
    journal = transactions.journal
    entry = journal.begin({"steps": [], "boot_id": "1"}, {})
    if state == "open":
        entry = journal.move(entry, "open")
    taken: list[float] = []
    watcher._wait(journal, entry.id, MOST_S, lambda: taken.append(clock.now))
    assert len(taken) == 1
    assert taken[0] < 1


def test_while_it_is_being_applied_the_time_does_not_run(
    board: Board, transactions: Transactions, clock: Clock
) -> None:
    journal = transactions.journal
    lock = Journal(Tree(str(board.root))).lock()
    lock.__enter__()
    entry = journal.move(journal.begin({"steps": []}, {}), "open")

    def applied() -> None:
        journal.move(entry, "applied")
        lock.__exit__(None, None, None)

    clock.at[200.0] = applied
    taken: list[float] = []
    watcher._wait(journal, entry.id, MOST_S, lambda: taken.append(clock.now))
    assert len(taken) == 1
    assert 200 + MOST_S <= taken[0] < 202 + MOST_S


def test_a_name_that_is_missed_once_is_looked_for_again(
    board: Board, transactions: Transactions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a folder is renamed a listing may show neither of its names."""
    before, entries = board.seen(), Journal.entries
    receipt = board.apply(mask("docker.service"))
    clock.at[5.0] = lambda: monkeypatch.setattr(Journal, "entries", lambda self: ())
    clock.at[5.6] = lambda: monkeypatch.setattr(Journal, "entries", entries)
    wait(transactions, receipt["id"])
    assert board.seen() == before


def test_what_was_never_begun_is_not_waited_for(board: Board, transactions: Transactions, clock: Clock) -> None:
    board.apply(file_change(CMDLINE, ""))
    wait(transactions, "0099-beef")
    assert clock.now < 5


def test_without_a_watcher_nothing_is_changed(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = board.seen()
    monkeypatch.setattr(os, "fork", none_left)
    failure = board.fails("apply", changes=[mask("docker.service")], confirm_s=60)
    assert failure["message"] == "a process to watch the change: Resource temporarily unavailable"
    assert board.seen() == before
    assert board.states() == set()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from 3.12 on, where other threads run
def test_a_watcher_that_could_not_be_left_is_told(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    forks = [os.fork]

    def once() -> int:
        if forks:
            return forks.pop()()
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", once)
    with pytest.raises(OSError, match="temporarily unavailable"):
        watcher.watch(transactions.journal, "0001-beef", MOST_S, lambda: None)


def test_a_failure_to_take_back_is_tried_again_and_then_left(
    board: Board, transactions: Transactions, clock: Clock
) -> None:
    receipt = board.apply(mask("docker.service"))
    tried: list[float] = []

    def take_back() -> None:
        tried.append(clock.now)
        raise Failure("undo", "something is in the way")

    wait(transactions, receipt["id"], take_back)
    assert 1 < len(tried) < 9
