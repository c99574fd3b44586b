"""Killed, without power, or on a full disk at any call: what is left becomes exactly before or exactly after."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import power_cut
import pytest
from dying import FullDisk, Work, dies, through, unflushed
from scenes import BOOT, GRUB_BOOT, JOURNAL, REPRESENTATIVE, SPACE, EditedStage, Scene, Stage, random_scene

SEED = 20_260_401
SOAKED_POINTS = 10_000
NEVER = 1 << 30


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: thousands of trees are made and removed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made, unflushed():
        yield Path(made)


@pytest.fixture
def stage(folder: Path) -> Stage:
    return Stage(folder, REPRESENTATIVE)


def work_of(stage: Stage, applied: bool) -> Work:
    return stage.undo if applied else stage.apply


def recover(stage: Stage, *, full: bool) -> str:
    """What becomes of it; what was begun is ended without any more space."""
    if full and (stage.root / JOURNAL / "journal/lock").exists():
        with through(FullDisk().call):
            told = stage.recover()
    else:
        told = stage.recover()
    assert "ok" in told, told
    return stage.whole()


def go_on(stage: Stage, where: str) -> None:
    """After recovery the next one works as the first would have."""
    told = stage.undo() if where == "after" else stage.apply()
    assert "ok" in told, told
    stage.whole(may_be=("before",) if where == "after" else ("after",))


def kill(stage: Stage, *, applied: bool, every: int = 1) -> int:
    """Before each call, and in the middle of each write; how many deaths that were."""
    points = 0
    for at in itertools.count():
        halves = [False]
        for half in halves:
            stage.set(applied=applied)
            died = dies(work_of(stage, applied), at, half=half)
            if not died:
                stage.whole(may_be=("before",) if applied else ("after",))
                return points
            if died == "write" and not half:
                halves.append(True)
            points += 1
            where = recover(stage, full=bool(at % 2))
            if points % every == 0:
                go_on(stage, where)
    raise AssertionError


def kill_twice(stage: Stage, *, applied: bool, every: int) -> int:
    """Before every ``every``-th call, and then at each call of the recovery from that."""
    points = 0
    for at in itertools.count(0, every):
        for again in itertools.count():
            stage.set(applied=applied)
            if not dies(work_of(stage, applied), at):
                return points
            died = dies(stage.recover, again)
            points += 1
            recover(stage, full=False)
            if not died:
                break
    raise AssertionError


def lose_power(stage: Stage, folder: Path, *, applied: bool) -> int:
    """Before each call and after the last, losing each possible tail of what was not flushed."""
    points, graves = 0, folder / "graves"
    for at in itertools.count():
        ways = [(0, False)]
        for kept, apart in ways:
            stage.set(applied=applied)
            with_graves(graves)
            cut = power_cut.cut_power(work_of(stage, applied), at, graves, kept=kept, half=bool(at % 2), apart=apart)
            if len(ways) == 1:
                ways += [(number, False) for number in range(1, cut.pending + 1)] + [(0, True)] * cut.differs
            stage.booted = 2
            points += 1
            recover(stage, full=False)
            if not cut.came:  # what was answered is never lost
                stage.whole(may_be=("before",) if applied else ("after",))
        if not cut.came:
            return points
    raise AssertionError


def lose_power_twice(stage: Stage, folder: Path, *, applied: bool, every: int) -> int:
    """Before every ``every``-th call, and then at each call of the recovery from that."""
    points, graves = 0, folder / "graves"
    for at in itertools.count(0, every):
        for again in itertools.count():
            stage.set(applied=applied)
            with_graves(graves)
            if not power_cut.cut_power(work_of(stage, applied), at, graves, half=bool(again % 2)).came:
                return points
            stage.booted = 2
            with_graves(graves)
            cut = power_cut.cut_power(stage.recover, again, graves, half=bool(again % 2))
            stage.booted = 3
            points += 1
            recover(stage, full=False)
            if not cut.came:
                break
    raise AssertionError


def with_graves(graves: Path) -> None:
    if graves.exists():
        shutil.rmtree(graves)
    graves.mkdir()


def fill_disk(stage: Stage, *, applied: bool) -> int:
    """Space ends at each call that needs some, and never comes back while it works."""
    was, other = ("after", "before") if applied else ("before", "after")
    for after in itertools.count():
        stage.set(applied=applied)
        disk = FullDisk(after)
        with through(disk.call):
            told = work_of(stage, applied)()
        if "ok" in told:
            stage.whole(may_be=(other,))  # what was measured may be missing
            if not disk.is_full:
                return after
            continue
        assert set(told) == {"failure"}
        assert told["failure"]["kind"] == "apply"
        assert "No space left" in told["failure"]["message"]
        stage.whole(may_be=(was,))
        assert "ok" in work_of(stage, applied)()
        stage.whole(may_be=(other,))
    raise AssertionError


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_kill_at_any_call(stage: Stage, applied: bool) -> None:
    assert kill(stage, applied=applied, every=9) > (50 if applied else 100)


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_kill_during_the_recovery_from_a_kill(stage: Stage, applied: bool) -> None:
    assert kill_twice(stage, applied=applied, every=16) > 20


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_power_cut_at_any_call(stage: Stage, folder: Path, applied: bool) -> None:
    assert lose_power(stage, folder, applied=applied) > (70 if applied else 150)


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_disk_that_is_full_from_any_call_on(stage: Stage, applied: bool) -> None:
    assert fill_disk(stage, applied=applied) > (5 if applied else 25)


@pytest.mark.parametrize("scene", [BOOT, GRUB_BOOT], ids=["extlinux", "grub"])
@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_kill_at_any_call_of_a_boot_that_is_tried(folder: Path, scene: Scene, applied: bool) -> None:
    assert kill(Stage(folder, scene), applied=applied, every=9) > 25


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_power_cut_at_any_call_of_a_boot_of_grub_that_is_tried(folder: Path, applied: bool) -> None:
    assert lose_power(Stage(folder, GRUB_BOOT), folder, applied=applied) > (40 if applied else 80)


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "undo"])
def test_a_death_at_any_call_of_making_room(folder: Path, applied: bool) -> None:
    stage = Stage(folder, SPACE)
    assert kill(stage, applied=applied, every=9) > 20
    assert kill_twice(stage, applied=applied, every=16) > 10
    assert lose_power(stage, folder, applied=applied) > 25
    assert fill_disk(stage, applied=applied) >= 0


def test_a_death_at_any_call_of_an_undo_that_leaves_what_somebody_changed(folder: Path) -> None:
    """Their file and link stay whatever happens, and everything else is before or after."""
    stage = EditedStage(folder, REPRESENTATIVE)
    assert kill(stage, applied=True, every=NEVER) > 40
    assert kill_twice(stage, applied=True, every=16) > 20
    assert lose_power(stage, folder, applied=True) > 70
    assert fill_disk(stage, applied=True) > 5


@pytest.mark.slow
def test_thousands_of_deaths_of_random_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = scenes = 0
    while points < SOAKED_POINTS:
        place = folder / str(scenes)
        place.mkdir()
        stage = Stage(place, random_scene(random.Random(SEED + scenes)))
        for applied in (False, True):
            points += kill(stage, applied=applied, every=3)
            points += kill_twice(stage, applied=applied, every=11)
            points += lose_power(stage, place, applied=applied)
            points += lose_power_twice(stage, place, applied=applied, every=17)
            points += fill_disk(stage, applied=applied)
        shutil.rmtree(place)
        scenes += 1
    with capsys.disabled():
        print(f"\n{points} kill points in {scenes} random scenes, the first of seed {SEED}")
