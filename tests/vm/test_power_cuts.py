"""The power goes while settings change: what is on the disk recovers to exactly before or exactly after.

A running machine is saved with its memory, so that each cut starts from the same moment without a boot. The power goes
at, or a little after, a change of the folders that memfit writes to, spread over all of them. After the cut the disk is
mounted as a rescue shell would mount it: the file system replays its own journal, and memfit recovers.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from machine import NAME, Machine
from saved import Saved

from memfit.apply import Place
from memfit.apply.place import ask
from memfit.device.audit import audit, audit_paths
from memfit.errors import MemfitError
from memfit.host import Manifest
from memfit.host.ssh import SshHost
from memfit.knob.changes import as_request
from memfit.knob.combine import changes_of
from memfit.knob.offers import offer_paths, offers

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
CUTS = int(os.environ.get("MEMFIT_POWER_CUTS", "40"))
KNOBS = ("desktop", "cups", "avahi", "bluetooth", "snapd", "camera_daemon", "swiotlb", "swappiness")
SEED = 20_261_129
JOURNAL = "var/lib/memfit/journal"
_WATCHED = ("etc/systemd", "etc/sysctl.d", "boot/extlinux", "var/lib/memfit")


@contextmanager
def mounted(disk: Path, folder: Path) -> Iterator[Path]:
    """What is on a disk that lost its power, below ``folder``; the file system's own journal is replayed."""
    raw, top = folder / "cut.raw", folder / "top"
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(disk), str(raw)], check=True)
    top.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(raw), str(top)], check=True)
    try:
        yield top
    finally:
        subprocess.run(["umount", str(top)], check=True)
        raw.unlink()


def watched(top: Path) -> dict[str, tuple[object, ...]]:
    """Everything below the folders that memfit writes to, its journal left out."""
    found: dict[str, tuple[object, ...]] = {}
    for base in _WATCHED:
        for folder, folders, names in os.walk(top / base):
            if JOURNAL in folder:
                continue
            for name in (*folders, *names):
                path = Path(folder, name)
                inside, there = str(path.relative_to(top)), path.lstat()
                if path.is_symlink():
                    found[inside] = ("link", str(path.readlink()))
                elif path.is_dir():
                    found[inside] = ("folder", there.st_mode)
                elif inside == "var/lib/memfit/trial.json":
                    found[inside] = ("file", there.st_mode)  # it names the transaction, whose name is new each time
                else:
                    found[inside] = ("file", there.st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
    found.pop(JOURNAL, None)  # it comes with the first transaction
    return found


def request_of(machine: Machine) -> dict[str, Any]:
    host = SshHost(NAME, Manifest(paths=(*audit_paths(), *offer_paths())), client=machine.client, quiet_s=90)
    found = audit(host)
    chosen = [one for one in offers(host, found, names=KNOBS) if one.applies]
    return {"action": "apply", "changes": as_request(changes_of(host, found, chosen)), "about": {}}


class Work:
    """Something asked of the agent there, which may never be answered."""

    def __init__(self, machine: Saved, request: dict[str, Any]) -> None:
        self._place, self._request = Place(host=NAME, client=machine.client), request
        self.answer: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._go)
        self._thread.start()

    def _go(self) -> None:
        with suppress(MemfitError):
            self.answer = ask(self._place, self._request)

    def wait(self, most_s: float = 600) -> bool:
        """Whether it has ended by then."""
        self._thread.join(most_s)
        return not self._thread.is_alive()


class Whole(NamedTuple):
    """Work that was let come to its end: its answer, how many steps were seen of it, and how long it took."""

    answer: dict[str, Any]
    steps: int
    whole_s: float


def let(machine: Saved, disk: Path, request: dict[str, Any]) -> Whole:
    machine.resume(disk)
    began = time.monotonic()
    work = Work(machine, request)
    assert work.wait()
    assert work.answer is not None
    whole_s = time.monotonic() - began
    time.sleep(1)  # what was seen last has to be said
    return Whole(work.answer, machine.steps, whole_s)


def cut(machine: Saved, disk: Path, request: dict[str, Any], at_step: int, later_s: float) -> bool:
    """Ask for a change, and take the power away so long after a step was seen; whether it had been answered."""
    machine.resume(disk)
    work = Work(machine, request)
    while machine.steps < at_step and not work.wait(0.002):
        pass
    work.wait(later_s)
    machine.kill()
    assert work.wait(60)
    return work.answer is not None


def test_power_cuts(image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, chance = Saved(tmp_path / "machine", image), random.Random(SEED)
    try:
        machine.boot()
        request = request_of(machine)
        machine.watch()
        machine.ssh("sync")
        before_disk = machine.save(tmp_path / "before.qcow2")
        # once to its end, there and back: what that looks like, and its steps
        applied = let(machine, before_disk, request)
        after_disk = machine.save(tmp_path / "after.qcow2")
        before, after = looked(before_disk, tmp_path), looked(after_disk, tmp_path)
        assert before != after
        back = {"action": "undo", "id": applied.answer["receipt"]["id"]}
        undone = let(machine, after_disk, back)
        machine.kill()
        ends: dict[str, int] = {}
        for number in range(CUTS):
            applying = number % 2 == 0
            disk, asked, whole = (before_disk, request, applied) if applying else (after_disk, back, undone)
            at_step = round((number // 2 + 0.5) / ((CUTS + 1) // 2) * whole.steps)
            later_s = chance.choice((0.0, chance.uniform(0, 0.1), chance.uniform(0, whole.whole_s / 8)))
            answered = cut(machine, disk, asked, at_step, later_s)
            where = f"cut {number}, {later_s:.3f} s after step {at_step} of {whole.steps}, {asked['action']}"
            with mounted(machine.disk, tmp_path) as top:
                found = sorted(path.name.rpartition(".")[2] for path in (top / JOURNAL).glob("0*"))
                said = ask(Place(root=str(top)), {"action": "status", "recover": True})
                state = watched(top)
            where += f", journal {found}: {json.dumps(said)[-400:]}"
            assert state in (before, after), (where, _difference(before, after, state))
            if answered:  # what was reported as done is done
                assert state == (after if applying else before), where
            became = "after" if state == after else "before"
            end = f"{asked['action']} cut when {' '.join(found) or 'nothing was begun'}: {became}"
            ends[end] = ends.get(end, 0) + 1
        with capsys.disabled():
            print(f"\n{CUTS} power cuts at {applied.steps} and {undone.steps} steps, the first of seed {SEED}:")
            print("\n".join(f"{count:3} {end}" for end, count in sorted(ends.items())))
    finally:
        machine.kill()


def looked(disk: Path, folder: Path) -> dict[str, tuple[object, ...]]:
    with mounted(disk, folder) as top:
        return watched(top)


def _difference(*states: dict[str, tuple[object, ...]]) -> dict[str, list[object]]:
    before, after, now = states
    paths = {path for path in {*before, *after, *now} if now.get(path) not in (before.get(path), after.get(path))}
    mixed = {path for path in {*before, *after, *now} if before.get(path) != after.get(path)}
    return {path: [state.get(path) for state in states] for path in sorted(paths or mixed)}
