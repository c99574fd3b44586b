"""Changes of a machine that runs: units, values and programs, and what happens where one of them fails."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, HUGE_PAGES, MIN_FREE, SWAPPINESS, SYSTEM, Board, file_change, mask, run, stop, value

from memfit.agent.acts import Acts
from memfit.agent.journal import Journal
from memfit.agent.main import answer
from memfit.agent.nodes import Nodes

DROP_CACHES = "/proc/sys/vm/drop_caches"
DOCKER = (mask("docker.socket"), mask("docker.service"), stop("docker.socket"), stop("docker.service"))
SWAP = run("swapoff /dev/zram0", "swapon -p 5 /dev/zram0")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    made = Board(tmp_path)
    made.machine.values = {SWAPPINESS: "60", MIN_FREE: "1000", DROP_CACHES: ""}
    made.machine.swaps = {"/dev/zram0"}
    return made


def state(board: Board) -> tuple[Any, ...]:
    """All that there is to compare."""
    machine = board.machine
    running = {unit for unit, state in machine.units.items() if state == "active"}
    return board.seen(), running, dict(machine.values), set(machine.swaps)


def test_units_are_masked_and_stopped_and_started_again(board: Board) -> None:
    before = state(board)
    receipt = board.apply(*DOCKER, value(SWAPPINESS, "10"), SWAP)
    machine = board.machine
    assert (machine.units["docker.service"], machine.units["docker.socket"]) == ("inactive", "inactive")
    assert (machine.values[SWAPPINESS], machine.swaps, machine.reloads) == ("10", set(), 1)
    assert machine.ran[:2] == ["stop docker.socket", "stop docker.service"]
    measured = receipt["measured"]
    assert measured["after"]["MemAvailable"] - measured["before"]["MemAvailable"] == 2 * (64 << 20)
    assert "Buffers" not in measured["before"]
    machine.ran.clear()
    board.undo()
    assert state(board) == before
    # in the other order, after systemd has read that nothing is masked
    assert machine.ran == [
        "swapon -p 5 /dev/zram0",
        f"{SWAPPINESS} 60",
        "start docker.service",
        "start docker.socket",
    ]
    assert machine.reloads == 2


def test_what_does_not_run_is_not_stopped_and_not_started(board: Board) -> None:
    board.machine.units["docker.socket"] = "inactive"
    receipt = board.apply(*DOCKER)
    assert [step["unit"] for step in receipt["steps"] if step["kind"] == "unit"] == ["docker.service"]
    board.undo()
    assert board.machine.units["docker.socket"] == "inactive"
    assert board.apply(stop("cups.service"), stop("docker.service", active=True))["id"] is None


def test_systemd_reads_its_files_only_where_they_changed(board: Board) -> None:
    board.apply(file_change(CMDLINE, "splash\n"), stop("docker.service"))
    assert board.machine.reloads == 0


@pytest.mark.parametrize("broken", ["stop docker.socket", "stop docker.service", SWAPPINESS, "swapoff /dev/zram0"])
def test_what_fails_takes_everything_back(board: Board, broken: str) -> None:
    before = state(board)
    board.machine.broken[broken] = "it does not"
    failure = board.fails("apply", changes=[*DOCKER, value(SWAPPINESS, "10"), SWAP])
    assert failure["kind"] == "apply"
    assert "it does not" in failure["message"]
    assert failure["hint"] == "everything was taken back"
    assert state(board) == before
    assert board.states() == {"undone"}
    assert board.machine.reloads == 2
    assert not any(words.startswith("swapon") for words in board.machine.ran)  # it never was off


def test_a_reload_that_fails_takes_everything_back(board: Board) -> None:
    before = state(board)
    board.machine.bad_reloads = 1
    failure = board.fails("apply", changes=[*DOCKER])
    assert (failure["kind"], failure["message"]) == ("apply", "systemctl daemon-reload: it does not")
    assert state(board) == before
    assert not board.machine.ran


def test_what_cannot_be_taken_back_keeps_nothing_else_from_it(board: Board) -> None:
    before = state(board)
    board.machine.broken = {"stop docker.service": "no", "start docker.socket": "gone"}
    failure = board.fails("apply", changes=[*DOCKER, value(SWAPPINESS, "10")])
    assert (failure["kind"], failure["message"]) == ("undo", "systemctl start docker.socket: gone")
    assert failure["journal"].endswith(".open")
    assert board.seen() == before[0]
    # until that is mended nothing else is begun, and then it is ended first
    assert board.fails("apply", changes=[file_change(CMDLINE, "")])["kind"] == "undo"
    board.machine.broken.clear()
    assert board.ask("status", recover=True)["ok"]["recovered"] == [failure["journal"].split("/")[-1][:9]]
    assert state(board) == before


@pytest.mark.parametrize("back", [0, 1])
def test_undo_goes_on_where_it_could_not(board: Board, back: int) -> None:
    before = state(board)
    board.apply(*DOCKER, value(SWAPPINESS, "10"), SWAP)
    board.machine.bad_reloads = back
    board.machine.broken = {"swapon -p 5 /dev/zram0": "busy", "start docker.service": "not now"}
    failure = board.fails("undo")
    assert failure["kind"] == "undo"
    for words in ("busy", "not now"):
        assert words in failure["message"]
    assert (board.machine.units["docker.socket"], board.machine.values[SWAPPINESS]) == ("active", "60")
    assert board.states() == {"undoing"}
    board.machine.broken.clear()
    assert len(board.ask("status", recover=True)["ok"]["recovered"]) == 1
    assert state(board) == before
    assert board.states() == {"undone"}


def test_a_unit_that_starts_again_by_itself_is_told(board: Board) -> None:
    before = state(board)
    board.machine.restless.add("docker.service")
    failure = board.fails("apply", changes=[*DOCKER])
    assert failure["message"] == "docker.service: it is activating after all"
    board.machine.units["docker.service"] = "active"
    assert state(board) == before


def test_a_unit_that_never_comes_to_its_start_is_told(board: Board) -> None:
    board.machine.units["cups.service"] = "failed"
    board.machine.set_active = lambda unit, active: board.machine.units.update({unit: "activating"})  # type: ignore[method-assign]
    failure = board.fails("apply", changes=[stop("cups.service", active=True)])
    assert failure["message"] == "cups.service: it is activating after all"


def test_a_value_that_the_kernel_makes_another_of_is_taken_back(board: Board) -> None:
    """It is not what was written, and not somebody else's either."""
    failure = board.fails("apply", changes=[value(SWAPPINESS, "10"), value(MIN_FREE, "9K")])
    assert failure["message"] == f"{MIN_FREE}: 9K was written, 9216 is there"
    assert board.machine.values == {SWAPPINESS: "60", MIN_FREE: "1000", DROP_CACHES: ""}


def test_what_the_kernel_raises_along_with_huge_pages_stays_as_it_was(board: Board) -> None:
    """set_recommended_min_free_kbytes: a write of the same value is enough."""
    board.machine.values[HUGE_PAGES] = "always"
    receipt = board.apply(value(HUGE_PAGES, "madvise"))
    assert [step["path"] for step in receipt["steps"]] == [HUGE_PAGES]
    assert board.machine.values[MIN_FREE] == "1000"
    board.undo()
    assert (board.machine.values[HUGE_PAGES], board.machine.values[MIN_FREE]) == ("always", "1000")
    board.apply(value(HUGE_PAGES, "never"), value(MIN_FREE, "2000"))
    assert board.machine.values[MIN_FREE] == "2000"
    board.undo()
    assert (board.machine.values[HUGE_PAGES], board.machine.values[MIN_FREE]) == ("always", "1000")
    board.machine.values[MIN_FREE] = "99999"  # more than the kernel asks for
    board.apply(value(HUGE_PAGES, "never"))
    board.undo()
    assert board.machine.values[MIN_FREE] == "99999"


class Killed(BaseException):
    pass


def test_what_the_kernel_raised_goes_back_after_a_death_in_between(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the write of the one and the putting back of the other, when applied and when taken back."""
    board.machine.values[HUGE_PAGES] = "always"
    before = state(board)
    real = board.machine.set_value

    def dying(path: str, text: str) -> None:
        if path == MIN_FREE:
            raise Killed
        real(path, text)

    for action in ("apply", "undo"):
        if action == "undo":
            board.apply(value(HUGE_PAGES, "madvise"))
        with monkeypatch.context() as patch:
            patch.setattr(board.machine, "set_value", dying)
            with pytest.raises(Killed):
                board.ask(action, **({"changes": [value(HUGE_PAGES, "madvise")]} if action == "apply" else {}))
        assert board.machine.values[MIN_FREE] == "67584"
        board.ask("status", recover=True)
        assert state(board) == before
        assert board.states() == {"undone"}
    board.apply(value(HUGE_PAGES, "madvise"))
    board.machine.values[MIN_FREE] = "70000"  # somebody's own by now
    board.undo()
    assert board.machine.values[MIN_FREE] == "70000"


def test_a_full_disk_keeps_what_is_raised_along_from_nothing(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.machine.values[HUGE_PAGES] = "always"
    before = state(board)
    board.apply(value(HUGE_PAGES, "madvise"))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Journal, "note", full)
    board.undo()
    assert state(board) == before


def test_a_program_that_sets_and_resets_is_taken_back_in_the_other_order(board: Board) -> None:
    """Else the mode of a transaction that was taken back already would come again."""
    first = board.apply(run("nvpmodel -m 2", "nvpmodel -m 1", lasting=True))
    second = board.apply(run("nvpmodel -m 0", "nvpmodel -m 2", lasting=True))
    failure = board.fails("undo", id=first["id"])
    assert failure["message"] == f"power mode and clocks: {second['id']} changed it after {first['id']}"
    board.undo()
    board.undo()
    assert board.machine.ran[-2:] == ["nvpmodel -m 2", "nvpmodel -m 1"]
    once = [board.apply(value(DROP_CACHES, text))["id"] for text in ("3", "1")]
    assert board.undo(once[0])["state"] == "undone"  # what was done once stands in nobody's way


def test_a_value_that_somebody_changed_since_is_theirs(board: Board) -> None:
    board.apply(value(SWAPPINESS, "10"), value(MIN_FREE, "2000"))
    board.machine.values[SWAPPINESS] = "33"
    board.undo()
    assert board.machine.values == {SWAPPINESS: "33", MIN_FREE: "1000", DROP_CACHES: ""}


def test_what_is_done_once_is_not_taken_back(board: Board) -> None:
    assert board.apply(value(DROP_CACHES, "3"))["state"] == "applied"
    board.undo()
    assert board.machine.ran == [f"{DROP_CACHES} 3"]
    assert board.refuses(value("/proc/sys/vm/nr_hugepages", "9")) == (
        "/proc/sys/vm/nr_hugepages: this kernel has no such value"
    )


def test_after_a_boot_only_what_lasts_is_taken_back(board: Board) -> None:
    lasting = run("nvpmodel -m 2", "nvpmodel -m 0", lasting=True)
    board.machine.units["cups.service"] = "inactive"
    values = (value(SWAPPINESS, "10"), value(MIN_FREE, "2"))
    board.apply(*DOCKER, stop("cups.service", active=True), *values, SWAP, lasting)
    machine = board.machine
    machine.boot = "2"
    # what a boot does: nothing masked runs, swap is on again, one value is set by somebody, one by a file
    machine.values.update({SWAPPINESS: "60", MIN_FREE: "2"})
    machine.swaps = {"/dev/zram0"}
    machine.ran.clear()
    board.undo()
    assert machine.ran == ["nvpmodel -m 0", f"{MIN_FREE} 1000", "start docker.service", "start docker.socket"]
    assert machine.units["cups.service"] == "active"  # started by somebody, or by the boot


def test_a_program_that_failed_half_way_is_taken_back_at_once(board: Board) -> None:
    board.machine.broken = {"nvpmodel -m 2": "it wants a boot", "nvpmodel -m 0": "this one too"}
    failure = board.fails("apply", changes=[SWAP, run("nvpmodel -m 2", "nvpmodel -m 0")])
    assert (failure["kind"], failure["message"]) == ("apply", "nvpmodel -m 2: it wants a boot")
    assert board.machine.ran == [
        "swapoff /dev/zram0",
        "nvpmodel -m 2",
        "nvpmodel -m 0",
        "swapon -p 5 /dev/zram0",
    ]
    assert board.states() == {"undone"}


def test_swap_that_is_on_again_needs_no_switching_on(board: Board) -> None:
    board.apply(SWAP)
    board.machine.swaps = {"/dev/zram0"}  # somebody did
    assert board.undo()["state"] == "undone"


def test_an_image_has_nothing_that_runs(board: Board) -> None:
    told = answer({"action": "apply", "root": str(board.root), "changes": [*DOCKER, value(SWAPPINESS, "10"), SWAP]})
    receipt = told["ok"]["receipt"]
    assert {step["kind"] for step in receipt["steps"]} == {"node"}
    assert receipt["measured"] == {}
    board.undo()  # where it was booted since
    assert not board.machine.ran
    assert not board.at(f"{SYSTEM}/docker.service").is_symlink()


def test_what_is_applied_stays_so_whatever_fails_after_it(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "note", full)
        patch.setattr(Nodes, "sweep", full)
        receipt = board.apply(mask("docker.service"), file_change(CMDLINE, "splash\n"))
    assert (receipt["state"], receipt["measured"]) == ("applied", {})
    assert [path for path in board.seen() if ".memfit-" in path]
    board.ask("status", recover=True)
    assert not [path for path in board.seen() if ".memfit-" in path]
    monkeypatch.setattr(Journal, "prune", full)
    assert board.undo()["state"] == "undone"


def test_a_closed_terminal_does_not_end_it_half_way(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    act = Acts.act

    def interrupted(self: Acts, step: dict[str, Any], entry: Any) -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        act(self, step, entry)

    handlers = [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(Acts, "act", interrupted)
    assert board.apply(*DOCKER)["state"] == "applied"
    assert handlers == [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)]
