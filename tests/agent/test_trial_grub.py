"""A boot by GRUB that is tried: its configuration is made by a program, and what stood before is fallen back to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_trial import Fake, _no_sync, _until  # noqa: F401  a fixture of every test

from memfit.agent import boot
from memfit.agent.main import answer
from memfit.agent.tree import Tree
from memfit.agent.trial import TRIAL, read_trial
from memfit.knob._command_line import DROP_IN, command_line_changes
from memfit.knob.changes import as_request
from whole_machine import machine as recorded

CONFIG = "boot/grub/grub.cfg"
SOURCE = DROP_IN.lstrip("/")
SECRET = "password_pbkdf2 root grub.pbkdf2.sha512.10000.AB"


class Grub(Fake):
    """``update-grub``: what it makes depends on the drop-in and on the kernels there."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.fails = self.dies = False
        self.ran = 0

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        if words != ["update-grub"]:
            return super().run(words, most_s)
        self.ran += 1
        config = self.root / CONFIG
        if self.fails or self.dies:
            config.write_text("half")
            if self.dies:
                os._exit(9)
            return 1, "no space left"
        config.write_text(self.made())  # in its place, as grub-mkconfig does
        return 0, ""

    def made(self) -> str:
        script = 'GRUB_CMDLINE_LINUX_DEFAULT=quiet; [ ! -e "$0" ] || . "$0"; echo $GRUB_CMDLINE_LINUX_DEFAULT'
        words = subprocess.run(["sh", "-c", script, self.root / SOURCE], capture_output=True, text=True, check=True)
        kernel = max(path.name for path in (self.root / "boot").glob("vmlinuz*"))
        return f"{SECRET}\nmenuentry one {{\n\tlinux /boot/{kernel} root=/dev/a ro {words.stdout.strip()}\n}}\n"


class Pc:
    """A folder as a machine that GRUB boots."""

    def __init__(self, root: Path, *, like: Pc | None = None) -> None:
        self.root, self.tree, self.machine = root, Tree(str(root)), Grub(root)
        if like is not None:
            self.machine.boot = like.machine.boot
            shutil.copytree(like.root, root)
            return
        self.write("etc/machine-id", b"1234\n")
        self.write("etc/default/grub", b"GRUB_CMDLINE_LINUX_DEFAULT=quiet\n")
        (root / "etc/default/grub.d").mkdir()
        self.write("boot/vmlinuz-1", b"")
        self.write("dev/nvgpu/igpu0/ctrl", b"")
        self.write("proc/meminfo", b"MemTotal: 8000000 kB\nCmaTotal: 65536 kB\n")
        self.write(CONFIG, self.machine.made().encode())
        (root / CONFIG).chmod(0o600)
        self.power_on()

    def write(self, path: str, content: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    @property
    def config(self) -> bytes:
        return (self.root / CONFIG).read_bytes()

    @property
    def is_new(self) -> bool:
        return b"swiotlb=2048" in self.config

    def has_source(self) -> bool:
        return (self.root / SOURCE).exists()

    def power_on(self) -> None:
        line = next(line.split(" ", 2)[2] for line in self.config.decode().splitlines() if line.startswith("\tlinux "))
        self.write("proc/cmdline", f"BOOT_IMAGE=/boot/x {line}\n".encode())
        self.machine.boot += 1
        self.write("proc/sys/kernel/random/boot_id", f"{self.machine.boot_id()}\n".encode())

    def new_kernel(self) -> None:
        """A package of a kernel, which runs ``update-grub``."""
        self.write("boot/vmlinuz-2", b"")
        self.machine.run(["update-grub"])

    def request(self, words: dict[str, str | None] | None = None) -> Any:
        files = {path: (self.root / path.lstrip("/")).read_bytes() for path in (DROP_IN,) if self.has_source()}
        host, known = recorded({"/etc/default/grub": "", f"/{CONFIG}": "", "/usr/sbin/update-grub": "", **files})
        known = msgspec.structs.replace(
            known,
            l4t=None,
            compatible=(),
            boot=msgspec.structs.replace(known.boot, command_line="BOOT_IMAGE=/boot/x root=/dev/a ro quiet"),
        )
        return json.loads(json.dumps(as_request(command_line_changes(host, known, words or {"swiotlb": "2048"}))))

    def ask(self, action: str, **more: Any) -> dict[str, Any]:
        said = answer({"action": action, "root": str(self.root), **more}, self.machine)
        assert "ok" in said, said
        found: dict[str, Any] = said["ok"]
        return found

    def apply(self, words: dict[str, str | None] | None = None) -> str:
        return str(self.ask("apply", changes=self.request(words))["receipt"]["id"])

    def early(self) -> str:
        return str(boot.early(self.tree)["state"])

    def confirm(self) -> dict[str, Any]:
        return boot.confirm(self.tree, self.machine)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """All that a change could touch, with permissions."""
        found = {}
        for path in self.root.rglob("*"):
            inside = path.relative_to(self.root)
            if path.is_file() and inside.parts[0] in ("boot", "etc"):
                found[str(inside)] = (path.read_bytes(), path.stat().st_mode)
        return found


@pytest.fixture
def pc(tmp_path: Path) -> Pc:
    return Pc(tmp_path)


def begun(pc: Pc) -> str:
    return pc.apply()


def trying(pc: Pc) -> str:
    id = pc.apply()
    pc.power_on()
    assert pc.early() == "trying"
    return id


def fell_back(pc: Pc) -> str:
    id = trying(pc)
    pc.power_on()
    assert pc.early() == "fell back"
    return id


def confirmed(pc: Pc) -> str:
    id = trying(pc)
    assert pc.confirm()["state"] == "confirmed"
    return id


def test_a_healthy_boot_is_kept(pc: Pc) -> None:
    before = pc.config
    id = pc.apply()
    tried = pc.config
    assert pc.is_new
    trial = read_trial(pc.tree)
    assert (trial["id"], trial["state"]) == (id, "begun")
    assert pc.early() == "begun"  # nothing happens before the boot
    pc.power_on()
    assert pc.early() == "trying"
    assert pc.config == before
    assert not pc.has_source()  # or a new kernel would bring the words back
    assert pc.confirm()["state"] == "confirmed"
    assert pc.config == tried
    assert pc.has_source()
    pc.power_on()
    assert pc.early() == "confirmed"
    assert pc.config == tried


@pytest.mark.parametrize("reach", [begun, trying, fell_back, confirmed])
def test_undo_is_to_the_byte_at_any_time(pc: Pc, reach: Callable[[Pc], str]) -> None:
    before = pc.files()
    id = reach(pc)
    (receipt,) = pc.ask("status")["receipts"]
    assert receipt["drift"] == []
    assert SECRET not in json.dumps(receipt)
    pc.ask("undo", id=id)
    assert pc.files() == before
    assert pc.machine.ran == 1
    assert read_trial(pc.tree) == {}


@pytest.mark.parametrize("reach", [begun, trying, fell_back, confirmed])
def test_undo_after_a_new_kernel_at_any_time(pc: Pc, reach: Callable[[Pc], str]) -> None:
    """What somebody made anew since is made anew again, without the words."""
    before = pc.files()
    id = reach(pc)
    pc.new_kernel()
    pc.ask("undo", id=id)
    after = pc.files()
    assert after.pop(CONFIG)[0] == pc.machine.made().encode()
    assert b"vmlinuz-2" in pc.config
    assert not pc.is_new
    after.pop("boot/vmlinuz-2")
    before.pop(CONFIG)
    assert after == before


def test_a_hang_falls_back(pc: Pc) -> None:
    before = pc.config
    trying(pc)
    pc.power_on()
    assert b"swiotlb" not in (pc.root / "proc/cmdline").read_bytes()
    assert pc.early() == "fell back"
    assert pc.config == before
    pc.new_kernel()
    assert not pc.is_new


def test_what_is_broken_falls_back(pc: Pc) -> None:
    before = pc.config
    trying(pc)
    pc.machine.failed.append("nvargus-daemon.service")
    found = pc.confirm()
    assert (found["state"], found["reasons"]) == ("fell back", ["nvargus-daemon.service failed"])
    assert pc.config == before
    assert not pc.has_source()


@pytest.mark.parametrize("late", [False, True])
def test_a_new_kernel_meanwhile_stays(pc: Pc, late: bool) -> None:
    """Its configuration is nobody's to take away: memfit leaves it as it is, and says so."""
    if late:
        trying(pc)
    else:
        pc.apply()
    pc.new_kernel()
    there = pc.files()
    if not late:
        pc.power_on()
        assert pc.early() == "trying"
        assert pc.files() == there
    found = pc.confirm()
    assert found["state"] == "fell back"
    assert "somebody changed it" in found["reasons"][0]
    assert pc.files() == there


def test_what_waits_for_its_boot_is_nothing_to_fall_back_to(pc: Pc) -> None:
    before = pc.files()
    earlier = pc.apply()
    tried = pc.config
    later = pc.apply({"loglevel": "3"})
    assert pc.is_new
    assert b"loglevel=3" in pc.config
    pc.power_on()
    assert pc.early() == "trying"
    assert pc.files() == before | {path: text for path, text in pc.files().items() if "memfit-" in path}
    pc.power_on()
    assert pc.early() == "fell back"
    drifts = {receipt["id"]: receipt["drift"] for receipt in pc.ask("status")["receipts"]}
    assert drifts[later] == []
    pc.ask("undo", id=later)
    assert pc.config == tried
    trial = read_trial(pc.tree)
    assert (trial["id"], trial["state"]) == (earlier, "begun")
    pc.power_on()
    assert pc.early() == "trying"
    assert pc.confirm()["state"] == "confirmed"
    assert pc.config == tried
    pc.ask("undo", id=earlier)
    assert pc.files() == before


def test_what_only_root_may_read_stays_so(pc: Pc) -> None:
    confirmed(pc)
    assert (pc.root / CONFIG).stat().st_mode & 0o777 == 0o600
    assert (pc.root / SOURCE).stat().st_mode & 0o777 == 0o644
    assert (pc.root / TRIAL.lstrip("/")).stat().st_mode & 0o777 == 0o600


def test_a_run_that_fails_leaves_nothing_to_try(pc: Pc) -> None:
    before = pc.files()
    pc.machine.fails = True
    said = answer({"action": "apply", "root": str(pc.root), "changes": pc.request()}, pc.machine)
    assert "no space left" in said["failure"]["message"]
    assert pc.files() == before
    assert read_trial(pc.tree) == {}


@pytest.mark.parametrize("booted", [False, True])
def test_a_machine_that_went_down_while_it_was_made(pc: Pc, booted: bool) -> None:
    """The boot itself puts back what stood there, before anybody asks memfit; memfit then takes back the rest."""
    before = pc.files()
    request = pc.request()
    child = os.fork()
    if not child:
        pc.machine.dies = True
        answer({"action": "apply", "root": str(pc.root), "changes": request}, pc.machine)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert pc.config == b"half"
    assert pc.early() == "being made"
    if booted:
        pc.write("proc/sys/kernel/random/boot_id", b"another\n")
        pc.machine.boot += 1
        assert pc.early() == "fell back"
        assert "while /boot/grub/grub.cfg was being made" in read_trial(pc.tree)["reasons"][0]
        assert pc.files()[CONFIG] == before[CONFIG]
        assert not pc.has_source()
    assert pc.ask("status", recover=True)["recovered"]
    assert pc.files() == before
    assert read_trial(pc.tree) == {}


def test_a_boot_after_a_cut_at_any_call_is_tried_or_the_one_before(tmp_path: Path) -> None:
    """The agent ends at any call of an apply: the boot that follows is never one with new words and no way back."""
    stock = Pc(tmp_path / "stock")
    before, request, ends = stock.config, stock.request(), set()
    for point in range(400):
        one = Pc(tmp_path / f"try-{point}", like=stock)
        whole = _cut(point, one, request)
        one.power_on()
        booted_new = b"swiotlb=2048" in (one.root / "proc/cmdline").read_bytes()
        trial = boot.early(one.tree)
        state = trial.get("state", "none")
        ends.add((booted_new, state))
        # early has run: whatever happens now, the next boot is the one before
        assert one.config == before
        assert state == ("trying" if booted_new and trial["tried"] != trial["fallback"] else state)
        assert not booted_new or state in ("trying", "fell back")
        one.ask("status", recover=True)
        if not whole:
            assert one.config == before
            assert not one.has_source()
            assert [path.name for path in (one.root / "boot/grub").iterdir()] == ["grub.cfg"]
        shutil.rmtree(one.root)
        if whole:
            break
    assert whole
    assert {(False, "none"), (False, "fell back"), (True, "fell back"), (True, "trying")} <= ends


def _cut(point: int, pc: Pc, request: Any) -> bool:
    def work() -> None:
        answer({"action": "apply", "root": str(pc.root), "changes": request}, pc.machine)

    return _until(point, work)


def test_a_boot_that_is_cut_off_goes_on(tmp_path: Path) -> None:
    """Power is cut at any call of the boot: the next one is one of the two, and ends well."""
    first = Pc(tmp_path / "booted")
    first.apply()
    tried = first.config
    first.power_on()
    ends = set()
    for point in range(90):
        one = Pc(tmp_path / f"try-{point}", like=first)

        def work(one: Pc = one) -> None:
            boot.early(one.tree)
            one.confirm()

        whole = _until(point, work)
        one.power_on()
        state = one.confirm()["state"]
        assert state in ("confirmed", "fell back")
        assert (one.config == tried) == (state == "confirmed") == one.has_source()
        assert [path.name for path in (one.root / "boot/grub").iterdir()] == ["grub.cfg"]
        assert [path.name for path in (one.root / SOURCE).parent.iterdir()] == [
            DROP_IN.rpartition("/")[2]
        ] * one.has_source()
        ends.add(state)
        if whole:
            break
    assert whole
    assert ends == {"confirmed", "fell back"}


def test_what_nobody_makes_anew_is_not_tried(pc: Pc) -> None:
    *_, run = pc.request()
    for wrong in (
        {**run, "trial": {**run["trial"], "path": "/boot/extlinux/extlinux.conf"}},
        {**run, "undo": []},
    ):
        said = answer({"action": "apply", "root": str(pc.root), "changes": [wrong]}, pc.machine)
        assert said["failure"]["kind"] == "refused"
        assert "makes anew can be tried" in said["failure"]["message"]
    for wrong in ({}, {"path": ""}, {**run["trial"], "sources": "x"}, {**run["trial"], "expects": {"a": 1}}):
        said = answer({"action": "apply", "root": str(pc.root), "changes": [{**run, "trial": wrong}]}, pc.machine)
        assert "'trial' is a path" in said["failure"]["message"], wrong
