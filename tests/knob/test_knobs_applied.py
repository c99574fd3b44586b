"""What the knobs ask of the agent, made and taken back by it, on a folder and a machine that only remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memfit.agent.machine import Machine
from memfit.agent.main import answer
from memfit.apply import choose
from memfit.knob import Wish, offers
from memfit.knob.changes import as_request
from memfit.knob.combine import changes_of
from memfit.units import MIB
from whole_machine import whole_files, whole_machine

OURS = (
    *("desktop", "audio", "journald", "tmpfs", "zram", "swappiness", "min_free", "drop_caches", "compaction"),
    *("huge_pages", "power_mode", "clocks", "cups", "snapd"),
)
STOPPED = ("gdm3.service", "rtkit-daemon.service", "cups.service")


class Remembering(Machine):
    """Units, values and programs of a machine that is none; ``fails`` names a program that does."""

    def __init__(self, fails: str = "") -> None:
        files = whole_files()
        self.active = dict.fromkeys(STOPPED, True)
        self.values = {
            path: str(text).strip() for path, text in files.items() if path.startswith(("/proc/sys", "/sys"))
        }
        self.values["/sys/kernel/mm/transparent_hugepage/enabled"] = "always"
        self.ran: list[list[str]] = []
        self.fails = fails

    def boot_id(self) -> str:
        return "the only boot"

    def has_systemd(self) -> bool:
        return True

    def unit(self, unit: str) -> dict[str, str]:
        return {"ActiveState": "active" if self.active.get(unit) else "inactive", "LoadState": "loaded"}

    def set_active(self, unit: str, active: bool) -> None:
        self.active[unit] = active

    def reload(self) -> None:
        pass

    def value(self, path: str) -> str | None:
        return self.values.get(path)

    def set_value(self, path: str, text: str) -> None:
        self.values[path] = text

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        self.ran.append(words)
        return (1, "no") if self.fails and self.fails in words else (0, "")

    def memory(self) -> dict[str, int]:
        return {"MemTotal": 7620 * MIB, "MemAvailable": 6000 * MIB}


def changes() -> list[dict[str, Any]]:
    host, known = whole_machine()
    return as_request(changes_of(host, known, offers(host, known, names=OURS)))


def changes_of_wishes() -> list[dict[str, Any]]:
    host, known = whole_machine()
    wishes = {
        name: Wish(value=value)
        for name, value in {"swap_file": "64MiB", "zram": "1GiB,lz4", "power_mode": "15W", "oom_policy": "cups"}.items()
    }
    return as_request(changes_of(host, known, offers(host, known, names=wishes, wishes=wishes)))


def standing(root: Path) -> dict[str, str | bytes]:
    found: dict[str, str | bytes] = {}
    for path in sorted(root.rglob("*")):
        name = f"/{path.relative_to(root)}"
        if name.startswith("/var/lib/memfit"):
            continue
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("multi-user.target", "graphical.target", "gdm3.service", "nvzramconfig.service"):
        path = tmp_path / "lib/systemd/system" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[Unit]\n")
    etc = tmp_path / "etc/systemd/system"
    etc.mkdir(parents=True)
    (etc / "default.target").symlink_to("/lib/systemd/system/graphical.target")
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "etc/hostname").write_text("here\n")
    return tmp_path


def test_what_was_asked_with_values_is_made_and_taken_back_to_the_byte(root: Path) -> None:
    before, machine = standing(root), Remembering()
    made = answer({"action": "apply", "root": str(root), "changes": changes_of_wishes()}, machine)
    assert made["ok"]["receipt"]["state"] == "applied", made
    after = standing(root)
    assert {path for path in after if path not in before} == {
        "/etc/systemd/system/cups.service.d/60-memfit.conf",
        "/etc/systemd/system/memfit-zram.service",
        "/etc/systemd/system/nvzramconfig.service",
        "/etc/systemd/system/swap.memfit.swap",
        "/etc/systemd/system/swap.target.wants/memfit-zram.service",
        "/etc/systemd/system/swap.target.wants/swap.memfit.swap",
        "/etc/systemd/system/zram-config.service",
        "/etc/systemd/system/zramswap.service",
        "/swap.memfit",
    }
    assert len(after["/swap.memfit"]) == 64 * MIB
    assert [words for words in machine.ran if words[0] != "nvpmodel"] == [
        ["mkswap", "/swap.memfit"],
        ["swapon", "/swap.memfit"],
    ]
    assert "ok" in answer({"action": "undo", "root": str(root), "id": None}, machine)
    assert standing(root) == before
    assert ["swapoff", "/swap.memfit"] in machine.ran
    assert ["nvpmodel", "-m", "1"] in machine.ran


def test_all_of_it_is_made_and_taken_back_to_the_byte(root: Path) -> None:
    before, machine = standing(root), Remembering()
    values = dict(machine.values)
    made = answer({"action": "apply", "root": str(root), "changes": changes()}, machine)
    assert "ok" in made, made
    after = standing(root)
    assert after["/etc/systemd/system/default.target"] == "/lib/systemd/system/multi-user.target"
    assert after["/etc/systemd/user/pulseaudio.service"] == "/dev/null"
    assert after["/etc/systemd/system/nvzramconfig.service"] == "/dev/null"
    assert b"RuntimeMaxUse=8M" in bytes(after["/etc/systemd/journald.conf.d/60-memfit.conf"])  # type: ignore[arg-type]
    assert b"vm.swappiness = 100" in bytes(after["/etc/sysctl.d/60-memfit.conf"])  # type: ignore[arg-type]
    assert not any(machine.active.values())
    assert machine.values["/proc/sys/vm/swappiness"] == "100"
    assert machine.values["/proc/sys/vm/drop_caches"] == "3"
    undone = answer({"action": "undo", "root": str(root)}, machine)
    assert "ok" in undone, undone
    assert standing(root) == before
    assert all(machine.active.values())
    one_way = ("/proc/sys/vm/drop_caches", "/proc/sys/vm/compact_memory")
    assert {path: text for path, text in machine.values.items() if path not in one_way} == {
        path: text for path, text in values.items() if path not in one_way
    }
    assert ["nvpmodel", "-m", "1"] in machine.ran
    assert any(words[:2] == ["jetson_clocks", "--restore"] for words in machine.ran)


@pytest.mark.parametrize("fails", ["--store", "nvpmodel", "remount,size=500170752"])
def test_a_program_that_fails_leaves_everything_as_it_was(root: Path, fails: str) -> None:
    before, machine = standing(root), Remembering(fails)
    made = answer({"action": "apply", "root": str(root), "changes": changes()}, machine)
    assert made["failure"]["kind"] == "apply", made
    assert standing(root) == before
    assert all(machine.active.values())
    assert machine.values["/proc/sys/vm/swappiness"] == "60"
    # nothing stands in the way of the next one
    again = answer({"action": "apply", "root": str(root), "changes": changes()}, Remembering())
    assert "ok" in again, again


def test_what_gives_no_memory_is_done_by_name_alone() -> None:
    found = offers(*whole_machine())
    unasked, left = choose(found, None, risk=True)
    by_name = {offer.name for offer in left if offer.applies}
    assert {"clocks", "power_mode", "swappiness", "compaction", "tmpfs", "huge_pages"} <= by_name
    assert {"desktop", "audio", "journald", "zram", "drop_caches", "min_free"} <= {offer.name for offer in unasked}
    assert "min_free" not in {offer.name for offer in choose(found, None, risk=False)[0]}
    named = offers(*whole_machine(), names=["clocks"])
    assert [offer.name for offer in choose(named, ["clocks"], risk=False)[0]] == ["clocks"]


def test_on_an_image_there_are_files_alone(root: Path) -> None:
    before = standing(root)
    made = answer({"action": "apply", "root": str(root), "changes": changes()})
    assert {step["kind"] for step in made["ok"]["receipt"]["steps"]} == {"node"}
    assert "ok" in answer({"action": "undo", "root": str(root)})
    assert standing(root) == before
