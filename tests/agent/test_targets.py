"""Files that a program makes anew: put back to the byte, or made anew again where somebody else did so since."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from memfit.agent.machine import Machine
from memfit.agent.main import answer
from memfit.knob._command_line import DROP_IN, drop_in
from memfit.knob.changes import FileChange, RunChange, as_request

CONFIG = "boot/grub/grub.cfg"
MADE = ("update-grub",)
CRASH = "/sys/kernel/kexec_crash_size"


class Fake(Machine):
    """``update-grub`` of a folder: what it writes depends on the drop-in and on the kernels there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ran = 0
        self.fails = self.dies = False
        self.crash = "1048576"

    def boot_id(self) -> str:
        return "one"

    def has_systemd(self) -> bool:
        return False

    def memory(self) -> dict[str, int]:
        return {}

    def value(self, path: str) -> str | None:
        return self.crash if path == CRASH else None

    def set_value(self, path: str, text: str) -> None:
        assert int(text) <= int(self.crash), "the kernel refuses to let it grow"
        self.crash = text

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        assert words == ["update-grub"]
        self.ran += 1
        config = self.root / CONFIG
        if self.dies or self.fails:
            config.write_text("half")
            (self.root / f"{CONFIG}.new").write_text("half")
            if self.dies:
                os._exit(9)
            if self.fails:
                return 1, "no space left"
        config.write_text(self.config())  # in its place, as grub-mkconfig does
        config.chmod(0o444)
        return 0, ""

    def config(self) -> str:
        words = (self.root / DROP_IN.lstrip("/")).exists()
        kernels = ",".join(sorted(path.name for path in (self.root / "boot").glob("vmlinuz*")))
        return f"made of {kernels}, {words}"


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    (tmp_path / "boot/grub").mkdir(parents=True)
    (tmp_path / "boot/vmlinuz-1").touch()
    (tmp_path / CONFIG).write_text("made of vmlinuz-1, False # and somebody's own line")
    (tmp_path / CONFIG).chmod(0o600)
    return Fake(tmp_path)


def changes() -> Any:
    touched = (f"/{CONFIG}", f"/{CONFIG}.new")
    wanted = (
        FileChange(path=DROP_IN, content=drop_in({"swiotlb": "2048"})),
        RunChange(do=MADE, undo=MADE, touches=touched, lasting=True),
    )
    return json.loads(json.dumps(as_request(wanted)))


def ask(fake: Machine, action: str, **more: Any) -> dict[str, Any]:
    root = str(fake.root)  # type: ignore[attr-defined]
    return answer({"action": action, "root": root, **more}, fake)


def state(root: Path) -> dict[str, tuple[bytes, int]]:
    kept = (path for path in root.rglob("*") if path.is_file() and "memfit" not in path.parts)
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) for path in kept}


def test_it_is_put_back_to_the_byte_without_another_run(fake: Fake) -> None:
    before = state(fake.root)
    made = ask(fake, "apply", changes=changes())["ok"]["receipt"]
    assert (fake.root / CONFIG).read_text() == "made of vmlinuz-1, True"
    assert made["state"] == "applied"
    assert fake.ran == 1
    undone = ask(fake, "undo")["ok"]["receipt"]
    assert undone["state"] == "undone"
    assert state(fake.root) == before
    assert fake.ran == 1


def test_what_was_made_anew_since_is_made_anew_again(fake: Fake) -> None:
    before = state(fake.root)
    ask(fake, "apply", changes=changes())
    (fake.root / "boot/vmlinuz-2").touch()  # a new kernel, whose package runs update-grub
    fake.run(list(MADE))
    (receipt,) = ask(fake, "status")["ok"]["receipts"]
    assert receipt["drift"] == []
    ask(fake, "undo")
    assert fake.ran == 3
    after = state(fake.root)
    assert after.pop(CONFIG)[0] == b"made of vmlinuz-1,vmlinuz-2, False"
    assert after.pop("boot/vmlinuz-2")
    before.pop(CONFIG)
    assert after == before


def test_on_an_image_it_cannot_be_made_anew(fake: Fake) -> None:
    ask(fake, "apply", changes=changes())
    (fake.root / CONFIG).chmod(0o644)
    (fake.root / CONFIG).write_text("somebody's")
    said = answer({"action": "undo", "root": str(fake.root)})["failure"]
    assert said["kind"] == "drift"
    assert "update-grub has to make it anew" in said["hint"]
    assert (fake.root / DROP_IN.lstrip("/")).exists()


def test_on_an_image_what_is_as_it_was_left_goes_back(fake: Fake) -> None:
    before = state(fake.root)
    ask(fake, "apply", changes=changes())
    assert answer({"action": "undo", "root": str(fake.root)})["ok"]["receipt"]["state"] == "undone"
    assert state(fake.root) == before


def test_a_run_that_fails_leaves_nothing(fake: Fake) -> None:
    before = state(fake.root)
    fake.fails = True
    said = ask(fake, "apply", changes=changes())["failure"]
    assert "no space left" in said["message"]
    assert state(fake.root) == before


def test_a_run_that_was_cut_off_is_taken_back(fake: Fake) -> None:
    before = state(fake.root)
    child = os.fork()
    if not child:
        fake.dies = True
        ask(fake, "apply", changes=changes())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert state(fake.root) != before
    (id,) = ask(fake, "status", recover=True)["ok"]["recovered"]
    assert id
    assert state(fake.root) == before


def test_where_somebody_edited_meanwhile_nothing_is_taken_back(fake: Fake) -> None:
    child = os.fork()
    if not child:
        fake.dies = True
        ask(fake, "apply", changes=changes())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (fake.root / DROP_IN.lstrip("/")).write_text("somebody's")
    there = state(fake.root)
    assert ask(fake, "status", recover=True)["failure"]["kind"] == "drift"
    assert state(fake.root) == there


def test_nothing_is_left_beside_it(fake: Fake) -> None:
    ask(fake, "apply", changes=changes())
    names = {path.name for path in (fake.root / "boot/grub").iterdir()}
    assert names == {"grub.cfg"}


def test_memory_of_a_crash_kernel_comes_back_with_the_boot(fake: Fake) -> None:
    wanted = [{"kind": "value", "path": CRASH, "text": "0"}]
    assert ask(fake, "apply", changes=wanted)["ok"]["receipt"]["state"] == "applied"
    assert fake.crash == "0"
    assert ask(fake, "undo")["ok"]["receipt"]["state"] == "undone"
    assert fake.crash == "0"
