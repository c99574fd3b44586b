"""A boot that is tried: kept where it is healthy, and otherwise the label before is booted again by itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memfit.agent import boot, health
from memfit.agent.machine import Machine
from memfit.agent.main import answer
from memfit.agent.tree import Tree
from memfit.agent.trial import TRIAL, read_trial
from memfit.knob import _extlinux as extlinux
from memfit.knob._command_line import command_line_changes
from memfit.knob.changes import as_request
from whole_machine import machine as recorded

STOCK = b"""TIMEOUT 30
DEFAULT primary

LABEL primary
      MENU LABEL primary kernel
      LINUX /boot/Image
      INITRD /boot/initrd
      APPEND ${cbootargs} root=/dev/a rw
"""
FILE = "boot/extlinux/extlinux.conf"


class Fake(Machine):
    """The machine of a folder: its units, and what its kernel said."""

    def __init__(self) -> None:
        self.failed = ["flaky.service"]
        self.ssh: str | None = "ssh.service"
        self.log = "booted"
        self.boot = 1

    def boot_id(self) -> str:
        return f"boot-{self.boot}"

    def has_systemd(self) -> bool:
        return True

    def unit(self, unit: str) -> dict[str, str]:
        return {"ActiveState": "active" if unit == self.ssh else "inactive"}

    def reload(self) -> None:
        pass

    def memory(self) -> dict[str, int]:
        return {}

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        if words == ["dmesg"]:
            return 0, self.log
        assert words[:2] == ["systemctl", "list-units"]
        return 0, "".join(f"{unit} loaded failed failed It\n" for unit in self.failed)


class Board:
    """A folder as a board with a boot loader."""

    def __init__(self, root: Path, *, like: Board | None = None) -> None:
        self.root = root
        self.tree = Tree(str(root))
        self.machine = Fake()
        if like is not None:
            self.machine.boot = like.machine.boot
            shutil.copytree(like.root, root)
            return
        self.write("etc/machine-id", b"1234\n")
        self.write(FILE, STOCK)
        self.write("dev/nvgpu/igpu0/ctrl", b"")
        self.cma(256)
        self.power_on()

    def write(self, path: str, content: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def cma(self, mib: int) -> None:
        self.write("proc/meminfo", f"MemTotal: 8000000 kB\nCmaTotal: {mib * 1024} kB\n".encode())

    @property
    def file(self) -> bytes:
        return (self.root / FILE).read_bytes()

    @property
    def default(self) -> str:
        return extlinux.default_label(extlinux.parse(self.file)).name

    def power_on(self, *, ignored: bool = False) -> None:
        """What L4TLauncher does: boot the default, or without a word what was flashed."""
        label = extlinux.default_label(extlinux.parse(self.file))
        line = "root=/dev/flashed" if ignored else label.value("APPEND").removeprefix("${cbootargs} ")
        self.write("proc/cmdline", f"{line} video=efifb:off \n".encode())
        self.machine.boot += 1
        self.write("proc/sys/kernel/random/boot_id", f"{self.machine.boot_id()}\n".encode())

    def ask(self, action: str, **more: Any) -> dict[str, Any]:
        said = answer({"action": action, "root": str(self.root), **more}, self.machine)
        assert "ok" in said, said
        found: dict[str, Any] = said["ok"]
        return found

    def apply(self, words: dict[str, str] | None = None) -> str:
        host, known = recorded({extlinux.PATH: self.file})
        known = msgspec.structs.replace(known, boot=msgspec.structs.replace(known.boot, secure_boot=False))
        changes = command_line_changes(host, known, words or {"swiotlb": "2048"})
        told = json.loads(json.dumps(as_request(changes)))
        return str(self.ask("apply", changes=told)["receipt"]["id"])

    def early(self) -> str:
        return str(boot.early(self.tree)["state"])

    def confirm(self) -> dict[str, Any]:
        return boot.confirm(self.tree, self.machine)


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """All disks of the machine that runs the tests are none of their business."""
    monkeypatch.setattr(os, "sync", lambda: None)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def begun(board: Board) -> str:
    return board.apply()


def trying(board: Board) -> str:
    id = board.apply()
    board.power_on()
    assert board.early() == "trying"
    return id


def fell_back(board: Board) -> str:
    id = trying(board)
    board.power_on()
    assert board.early() == "fell back"
    return id


def confirmed(board: Board) -> str:
    id = trying(board)
    assert board.confirm()["state"] == "confirmed"
    return id


def test_a_healthy_boot_is_kept(board: Board) -> None:
    id = board.apply()
    tried = board.file
    assert board.default == "memfit-primary"
    trial = read_trial(board.tree)
    assert (trial["id"], trial["state"], trial["original"]) == (id, "begun", "primary")
    board.power_on()
    assert board.early() == "trying"
    assert board.default == "primary"
    assert board.file.startswith(STOCK)
    found = board.confirm()
    assert (found["state"], found["reasons"]) == ("confirmed", [])
    assert board.file == tried
    board.power_on()
    assert board.early() == "confirmed"
    assert board.confirm()["state"] == "confirmed"
    assert board.file == tried


@pytest.mark.parametrize("reach", [begun, trying, fell_back, confirmed])
def test_undo_is_to_the_byte_at_any_time(board: Board, reach: Callable[[Board], str]) -> None:
    before = {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()}
    id = reach(board)
    (receipt,) = board.ask("status")["receipts"]
    assert receipt["drift"] == []
    assert not any({"content", "trial"} & step.keys() for step in receipt["steps"])
    board.ask("undo", id=id)
    after = {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()}
    moved = {path for path in before if "proc" in path.parts}
    assert {path: text for path, text in after.items() if path in before and path not in moved} == {
        path: text for path, text in before.items() if path not in moved
    }
    assert {path for path in after.keys() - before.keys() if "journal" not in path.parts} == set()
    assert read_trial(board.tree) == {}


def test_what_a_later_trial_took_the_place_of_is_tried_again(board: Board) -> None:
    earlier = board.apply()
    tried = board.file
    later = board.apply({"loglevel": "3"})
    assert read_trial(board.tree)["id"] == later
    board.ask("undo", id=later)
    assert board.file == tried
    trial = read_trial(board.tree)
    assert (trial["id"], trial["state"], trial["original"]) == (earlier, "begun", "primary")
    board.power_on()
    assert board.early() == "trying"
    board.power_on()  # it hung
    assert board.early() == "fell back"
    assert board.default == "primary"
    board.ask("undo", id=earlier)
    assert board.file == STOCK
    assert read_trial(board.tree) == {}


def test_nothing_happens_before_the_boot(board: Board) -> None:
    board.apply()
    tried = board.file
    assert board.early() == "begun"
    assert board.confirm()["state"] == "begun"
    assert board.file == tried


def test_a_loader_that_takes_no_notice(board: Board) -> None:
    board.apply()
    board.power_on(ignored=True)
    assert board.early() == "fell back"
    assert "the boot loader booted something else" in read_trial(board.tree)["reasons"][0]
    assert board.default == "primary"
    assert board.confirm()["state"] == "fell back"


def test_a_cut_of_power_falls_back(board: Board) -> None:
    trying(board)
    board.power_on()
    assert "swiotlb" not in (board.root / "proc/cmdline").read_text()
    assert board.early() == "fell back"
    assert "before that boot was confirmed" in read_trial(board.tree)["reasons"][0]
    assert board.default == "primary"


def test_somebody_chooses_the_label_again(board: Board) -> None:
    trying(board)
    line = (board.root / "proc/cmdline").read_bytes()
    board.power_on()
    board.write("proc/cmdline", line)
    assert board.early() == "trying"
    assert board.confirm()["state"] == "confirmed"


def test_confirm_does_for_early_what_did_not_run(board: Board) -> None:
    board.apply()
    board.power_on()
    assert board.confirm()["state"] == "confirmed"
    assert board.default == "memfit-primary"


def _break(board: Board, what: str) -> None:
    if what == "unit":
        board.machine.failed.append("nvargus-daemon.service")
    elif what == "ssh":
        board.machine.ssh = None
    elif what == "gpu":
        (board.root / "dev/nvgpu/igpu0/ctrl").unlink()
        (board.root / "dev/nvgpu/igpu0").rmdir()
    elif what == "cma":
        board.cma(0)
    elif what == "full":
        board.machine.log = "xhci: swiotlb buffer is full (sz: 4096 bytes), total 2048 (slots)"
    elif what == "refused":
        board.machine.log = "cma: cma_alloc: linux,cma: alloc failed, req-size: 62864 pages, ret: -12"
    elif what == "word":
        line = (board.root / "proc/cmdline").read_bytes()
        board.write("proc/cmdline", line.replace(b"swiotlb=2048", b"swiotlb=2048 swiotlb=64"))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("unit", "nvargus-daemon.service failed"),
        ("ssh", "no service answers ssh any more"),
        ("gpu", "the GPU did not start"),
        ("cma", "CmaTotal is 0"),
        ("full", "swiotlb buffer is full"),
        ("refused", "could not give what a driver asked for"),
        ("word", "swiotlb=2048 is missing"),
    ],
)
def test_what_is_broken_falls_back(board: Board, what: str, reason: str) -> None:
    board.apply()
    board.power_on()
    _break(board, what)
    board.early()
    found = board.confirm()
    assert found["state"] == "fell back"
    assert len(found["reasons"]) == 1
    assert reason in found["reasons"][0]
    assert board.default == "primary"


def test_what_was_broken_before_is_no_ailment(board: Board) -> None:
    for what in ("unit", "ssh", "gpu", "cma", "refused"):
        _break(board, what)
    confirmed(board)
    unknown = {
        "command_line": "",
        "cma": None,
        "gpu": False,
        "ssh": False,
        "failed": None,
        "full": None,
        "refused": None,
    }
    assert health.ailments({}, unknown, {}) == []
    assert health.ailments({"failed": [], "cma": 1}, {**unknown, "cma": 1}, {"crashkernel": None}) == []
    there = health.ailments({}, {**unknown, "command_line": "crashkernel=1G"}, {"crashkernel": None})
    assert there == ["/proc/cmdline: crashkernel is still there"]


def test_somebody_edits_the_file_meanwhile(board: Board) -> None:
    board.apply()
    board.power_on()
    edited = board.file + b"# mine\n"
    board.write(FILE, edited)
    assert board.early() == "trying"
    assert board.file == edited
    found = board.confirm()
    assert found["state"] == "fell back"
    assert "somebody changed it" in found["reasons"][0]
    assert board.file == edited
    (receipt,) = board.ask("status")["receipts"]
    assert "somebody changed it" in receipt["drift"][0]["message"]


def test_mode_and_owner_stay(board: Board) -> None:
    (board.root / FILE).chmod(0o640)
    confirmed(board)
    assert (board.root / FILE).stat().st_mode & 0o777 == 0o640


def test_what_was_interrupted_goes_on(tmp_path: Path) -> None:
    """Power is cut at any call that changes the disk: the next boot is one of the two, and ends well."""
    ends = set()
    board = Board(tmp_path / "booted")
    board.apply()
    board.power_on()
    for point in range(60):
        folder = tmp_path / f"try-{point}"
        one = Board(folder, like=board)

        def work(one: Board = one) -> None:
            one.early()
            one.confirm()

        whole = _until(point, work)
        one.power_on()
        assert one.default in ("primary", "memfit-primary")
        state = one.confirm()["state"]
        assert state in ("confirmed", "fell back")
        assert one.default == ("memfit-primary" if state == "confirmed" else "primary")
        assert [path.name for path in (folder / "boot/extlinux").iterdir()] == ["extlinux.conf"]
        ends.add(state)
        if whole:
            break
    assert whole
    assert ends == {"confirmed", "fell back"}


def _until(point: int, work: Callable[[], None]) -> bool:
    """Work in a process that ends at the call of this number; whether it came to its end before that."""
    child = os.fork()
    if not child:
        left = point

        def dying(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*words: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    os._exit(9)
                left -= 1
                return real(*words, **named)

            return call

        for name in ("write", "rename", "fsync", "fchmod"):
            setattr(os, name, dying(getattr(os, name)))
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def test_names_are_in_their_places_before_anything_goes_on(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Firmware reads what is in its place on the disk, and no journal of a file system."""
    seen: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: seen.append(board.default))
    id = board.apply()
    board.power_on()
    board.early()
    board.confirm()
    board.ask("undo", id=id)
    assert seen == ["memfit-primary", "primary", "primary", "memfit-primary", "primary"]


def test_a_transaction_that_never_came_to_its_end(board: Board) -> None:
    """Power is cut while it is applied: the file is tried all the same, and taken back by the next one who asks."""
    before = board.file
    id = board.apply()
    journal = board.root / "var/lib/memfit/journal"
    (journal / f"{id}.applied").rename(journal / f"{id}.open")
    board.power_on()
    assert board.early() == "trying"
    board.write("var/lib/memfit/trial.json.new", b"{")  # and once more, while the boot noted what it saw
    assert board.ask("status", recover=True)["recovered"] == [id]
    assert not (board.root / "var/lib/memfit/trial.json.new").exists()
    assert board.file == before
    assert read_trial(board.tree) == {}
    assert boot.early(board.tree) == {}


@pytest.mark.parametrize("field", ["reasons", "state", "expects"])
def test_a_trial_that_somebody_edited_is_none(board: Board, field: str) -> None:
    board.apply()
    path = board.root / "var/lib/memfit/trial.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: 5}))
    assert read_trial(board.tree) == {}
    assert board.ask("status")["trial"] is None
    board.ask("undo")


def test_an_image_is_tried_at_its_first_boot(board: Board) -> None:
    host, known = recorded({extlinux.PATH: STOCK})
    known = msgspec.structs.replace(known, boot=msgspec.structs.replace(known.boot, secure_boot=False))
    changes = json.loads(json.dumps(as_request(command_line_changes(host, known, {"swiotlb": "2048"}))))
    for name in ("cmdline", "sys/kernel/random/boot_id"):
        (board.root / "proc" / name).unlink()
    said = answer({"action": "apply", "root": str(board.root), "changes": changes})
    assert said["ok"]["receipt"]["id"]
    board.power_on()
    assert board.early() == "trying"
    assert board.confirm()["state"] == "confirmed"


def test_a_note_that_is_damaged_is_none(board: Board) -> None:
    board.write("var/lib/memfit/trial.json", b"{")
    assert boot.early(board.tree) == {}
    board.write("var/lib/memfit/trial.json", b"[]")
    assert board.confirm() == {}
    board.write("var/lib/memfit/trial.json", b'{"id": "0001-abcd", "state": "begun"}')
    assert boot.early(board.tree) == {}
    boot.forget(board.tree, "0001-abcd")


def test_words_of_a_command_line() -> None:
    assert health.words_of("a=1 b a=2 x-y=3") == {"a": "2", "b": "", "x_y": "3"}


def test_units_start_the_agent_where_there_is_something_to_try() -> None:
    for text, target in boot.UNITS.values():
        assert f"ConditionPathExists={TRIAL}\n" in text
        assert f"ExecStart=/usr/bin/python3 -I -S {boot.AGENT} " in text
        assert target.endswith(".target")
    early = boot.UNITS["memfit-trial.service"][0]
    assert "DefaultDependencies=no" in early
    assert "Before=sysinit.target" in early
