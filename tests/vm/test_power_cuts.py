"""The power goes while settings change: what is on the disk recovers to exactly before or exactly after.

A running machine is saved with its memory, so that each cut starts from the same moment without a boot. After the cut
the disk is mounted as a rescue shell would mount it: the file system replays its own journal, and memfit recovers.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from machine import NAME, Machine

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
_WATCHED = ("etc/systemd", "etc/sysctl.d", "boot/extlinux", "var/lib/memfit")


class Saved(Machine):
    """A machine whose memory can be kept, so that it goes on without a boot."""

    def save(self) -> None:
        """Keep memory and disk as they are now, and switch off."""
        self._say("savevm now")
        self.kill()

    def resume(self, disk: Path) -> None:
        """Go on where ``save`` was, with a copy of that disk."""
        shutil.copy(disk, self._disk)
        self._start(["-loadvm", "now"])

    def disk(self) -> Path:
        return self._disk

    def _start(self, more: list[str]) -> None:
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen([*self._qemu(), *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.run("true", timeout_s=30).returncode:
            time.sleep(0.2)

    def _qemu(self) -> list[str]:
        words = super()._qemu()
        words[words.index("-monitor") + 1] = f"unix:{self.folder / 'monitor'},server,nowait"
        return words

    def _say(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.folder / "monitor"))
            monitor.settimeout(120)
            self._until_prompt(monitor)
            monitor.sendall(command.encode() + b"\n")
            self._until_prompt(monitor)

    @staticmethod
    def _until_prompt(monitor: socket.socket) -> None:
        heard = b""
        while not heard.endswith(b"(qemu) "):
            piece = monitor.recv(4096)
            if not piece:
                raise RuntimeError(f"the monitor ended: {heard[-300:]!r}")
            heard += piece


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
            if "var/lib/memfit/journal" in folder:
                continue
            for name in (*folders, *names):
                path = Path(folder, name)
                inside, there = str(path.relative_to(top)), path.lstat()
                if path.is_symlink():
                    found[inside] = ("link", str(path.readlink()))
                elif path.is_dir():
                    found[inside] = ("folder", there.st_mode)
                else:
                    found[inside] = ("file", there.st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
    # the journal's own folder comes with the first transaction, and the trial's note is no setting
    return {path: what for path, what in found.items() if path not in ("var/lib/memfit/journal",)}


def request_of(machine: Machine) -> dict[str, Any]:
    host = SshHost(NAME, Manifest(paths=(*audit_paths(), *offer_paths())), client=machine.client, quiet_s=90)
    found = audit(host)
    chosen = [one for one in offers(host, found, names=KNOBS) if one.applies]
    return {"action": "apply", "changes": as_request(changes_of(host, found, chosen)), "about": {}}


def cut(machine: Saved, disk: Path, request: dict[str, Any], after_s: float) -> bool:
    """Ask for a change, and take the power away meanwhile; whether it had been answered."""
    machine.resume(disk)
    answered: list[dict[str, Any]] = []

    def go() -> None:
        try:
            answered.append(ask(Place(host=NAME, client=machine.client), request))
        except MemfitError:
            return

    asking = threading.Thread(target=go)
    asking.start()
    asking.join(after_s)
    machine.kill()
    asking.join(60)
    return bool(answered)


def test_power_cuts(image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Saved(tmp_path / "machine", image)
    try:
        machine.boot()
        request = request_of(machine)
        machine.ssh("sync")
        machine.save()
        before_disk = Path(shutil.copy(machine.disk(), tmp_path / "before.qcow2"))
        # once to its end: how long that takes, and what it looks like
        machine.resume(before_disk)
        began = time.monotonic()
        receipt = ask(Place(host=NAME, client=machine.client), request)["receipt"]
        apply_s = time.monotonic() - began
        machine.ssh("sync")
        machine.save()
        after_disk = Path(shutil.copy(machine.disk(), tmp_path / "after.qcow2"))
        with mounted(before_disk, tmp_path) as top:
            before = watched(top)
        with mounted(after_disk, tmp_path) as top:
            after = watched(top)
        assert before != after
        back = {"action": "undo", "id": receipt["id"]}
        machine.resume(after_disk)
        began = time.monotonic()
        ask(Place(host=NAME, client=machine.client), back)
        undo_s = time.monotonic() - began
        machine.kill()
        ends: dict[str, int] = {}
        for number in range(CUTS):
            applying = number % 2 == 0
            disk, asked, whole_s = (before_disk, request, apply_s) if applying else (after_disk, back, undo_s)
            after_s = whole_s * (number + 0.5) / CUTS * 1.1
            answered = cut(machine, disk, asked, after_s)
            with mounted(machine.disk(), tmp_path) as top:
                said = ask(Place(root=str(top)), {"action": "status", "recover": True})
                state = watched(top)
            where = (
                f"cut {number} {after_s:.2f} s after {'apply' if applying else 'undo'} began: {json.dumps(said)[-400:]}"
            )
            assert state in (before, after), (where, _difference(before, after, state))
            if answered:  # what was reported as done is done
                assert state == (after if applying else before), where
            end = f"{'apply' if applying else 'undo'}: {'after' if state == after else 'before'}"
            ends[end] = ends.get(end, 0) + 1
        with capsys.disabled():
            print(f"\n{CUTS} power cuts: {ends}")
    finally:
        machine.kill()


def _difference(*states: dict[str, tuple[object, ...]]) -> dict[str, list[object]]:
    before, after, now = states
    paths = {path for path in {*before, *after, *now} if now.get(path) not in (before.get(path), after.get(path))}
    mixed = {path for path in {*before, *after, *now} if before.get(path) != after.get(path)}
    return {path: [state.get(path) for state in states] for path in sorted(paths or mixed)}
