"""A tree with a machine that runs it: units, values and programs of its own, and what goes wrong with them."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

from memfit.agent.failure import Failure
from memfit.agent.machine import Machine
from memfit.agent.main import answer

SYSTEM = "/etc/systemd/system"
VENDOR = "/usr/lib/systemd/system"
CMDLINE = "/etc/kernel/cmdline"
SYSCTL = "/etc/sysctl.d/60-memfit.conf"
SWAPPINESS = "/proc/sys/vm/swappiness"
MIN_FREE = "/proc/sys/vm/min_free_kbytes"
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
THEN_NS = 1_500_000_000_000_000_007


class FakeMachine(Machine):
    """Attributes.

    units: states of units by name.
    values: of the kernel.
    broken: verbs and units, such as ``stop docker.service``, and programs that fail, with what they say.
    restless: units that start again by themselves.
    reloads: how many times systemd read its files; the next ``bad_reloads`` fail.
    ran: programs, and verbs with units, in order; those that only ask are left out.
    shown: what a program that only asks says, by its words; ``nvpmodel -m`` changes what ``nvpmodel -q`` says.
    """

    def __init__(self, *units: str) -> None:
        self.units = dict.fromkeys(units, "active")
        self.values: dict[str, str] = {}
        self.broken: dict[str, str] = {}
        self.restless: set[str] = set()
        self.swaps: set[str] = set()
        self.reloads = self.bad_reloads = 0
        self.ran: list[str] = []
        self.shown: dict[str, str] = {}
        self.boot = "1"

    def boot_id(self) -> str:
        return self.boot

    def has_systemd(self) -> bool:
        return True

    def unit(self, unit: str) -> dict[str, str]:
        return {"ActiveState": self.units.get(unit, "inactive"), "LoadState": "loaded"}

    def set_active(self, unit: str, active: bool) -> None:
        words = f"{'start' if active else 'stop'} {unit}"
        self.ran.append(words)
        if words in self.broken:
            raise Failure("apply", f"systemctl {words}: {self.broken[words]}")
        self.units[unit] = "active" if active else "activating" if unit in self.restless else "inactive"

    def reload(self) -> None:
        self.reloads += 1
        if self.bad_reloads:
            self.bad_reloads -= 1
            raise Failure("apply", "systemctl daemon-reload: it does not")

    def value(self, path: str) -> str | None:
        return self.values.get(path)

    def set_value(self, path: str, text: str) -> None:
        if path in self.broken:
            raise Failure("apply", f"{path}: {self.broken[path]}")
        self.ran.append(f"{path} {text}")
        # as the kernel does: it says a size in its own way
        self.values[path] = str(int(text[:-1]) << 10) if text.endswith("K") else text
        if path == HUGE_PAGES and MIN_FREE in self.values:
            self.values[MIN_FREE] = str(max(67584, int(self.values[MIN_FREE])))

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        said = " ".join(words)
        if said in self.shown or said in ("nvpmodel -q", "jetson_clocks --show") or words[0] == "findmnt":
            return (0, self.shown[said]) if said in self.shown else (127, f"{words[0]}: not installed")
        self.ran.append(said)
        if said in self.broken:
            return 1, self.broken[said]
        if words[:2] == ["nvpmodel", "-m"] and "nvpmodel -q" in self.shown:
            self.shown["nvpmodel -q"] = mode(words[2])
        if words[0] in ("swapon", "swapoff"):
            is_on = words[-1] in self.swaps
            if is_on == (words[0] == "swapon"):
                return 255, f"{said} failed: Invalid argument"
            self.swaps ^= {words[-1]}
        return 0, ""

    def is_so(self, words: list[str]) -> bool:
        return words[0] in ("swapon", "swapoff") and (words[-1] in self.swaps) == (words[0] == "swapon")

    def memory(self) -> dict[str, int]:
        running = sum(state == "active" for state in self.units.values())
        return {"MemTotal": 8 << 30, "MemAvailable": (5 << 30) - running * (64 << 20), "Buffers": 1}


class Board:
    """A small machine, with what is asked of its agent."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.machine = FakeMachine("docker.service", "docker.socket", "ssh.service")
        for unit in ("docker.service", "docker.socket", "cups.service", "ssh.service"):
            self.write(f"{VENDOR}/{unit}", f"[Unit]\nDescription={unit}\n")
        for target in ("multi-user.target", "graphical.target"):
            self.write(f"{VENDOR}/{target}", "[Unit]\n")
        self.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        self.write(CMDLINE, "quiet\n", 0o640)
        self.at("/var/lib").mkdir(parents=True)
        self.at(SYSTEM).mkdir(parents=True)

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        os.utime(file, ns=(THEN_NS, THEN_NS))
        return file

    def link(self, path: str, target: str) -> Path:
        link = self.at(path)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
        return link

    def ask(self, action: str, **more: Any) -> dict[str, Any]:
        return answer({"action": action, "root": str(self.root), **more}, self.machine)

    def apply(self, *changes: dict[str, Any]) -> dict[str, Any]:
        """The receipt."""
        told = self.ask("apply", changes=list(changes))
        assert "ok" in told, told
        receipt: dict[str, Any] = told["ok"]["receipt"]
        return receipt

    def undo(self, id: str | None = None, **more: Any) -> dict[str, Any]:
        told = self.ask("undo", id=id, **more)
        assert "ok" in told, told
        receipt: dict[str, Any] = told["ok"]["receipt"]
        return receipt

    def fails(self, action: str, **more: Any) -> dict[str, Any]:
        """The failure."""
        told = self.ask(action, **more)
        assert set(told) == {"failure"}, told
        failure: dict[str, Any] = told["failure"]
        return failure

    def refuses(self, *changes: Any, kind: str = "refused") -> str:
        """The message; and nothing was changed."""
        before = self.seen()
        failure = self.fails("apply", changes=list(changes))
        assert failure["kind"] == kind, failure
        assert self.seen() == before
        assert not self.states() & {"staging", "open", "undoing"}
        message: str = failure["message"]
        return message

    def states(self) -> set[str]:
        """States in the journal."""
        return {path.suffix[1:] for path in self.at("/var/lib/memfit/journal").glob("0*")}

    def journal(self, receipt: dict[str, Any], name: str) -> Path:
        return self.at(f"/var/lib/memfit/journal/{receipt['id']}.{receipt['state']}/{name}")

    def seen(self) -> dict[str, tuple[Any, ...]]:
        """All that is there but the journal; not the times of folders, nor links' in file systems that keep none."""
        found: dict[str, tuple[Any, ...]] = {}
        for folder, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = Path(folder, name)
                if self.at("/var/lib/memfit") in (path, *path.parents):
                    continue
                there = path.lstat()
                kept = (stat.S_IMODE(there.st_mode), there.st_uid, there.st_gid)
                inside = str(path.relative_to(self.root))
                if path.is_symlink():
                    found[inside] = ("link", str(path.readlink()), there.st_uid, there.st_gid, there.st_mtime_ns)
                elif path.is_dir():
                    found[inside] = ("folder", *kept)
                elif path.is_file():
                    found[inside] = ("file", path.read_bytes(), *kept, there.st_mtime_ns, attributes(path))
                else:
                    found[inside] = ("other", *kept)
        return found


def attributes(path: Path) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path)}
    except OSError:
        return {}


def file_change(path: str, content: str, **more: Any) -> dict[str, Any]:
    return {"kind": "file", "path": path, "content": base64.b64encode(content.encode()).decode(), **more}


def mask(unit: str) -> dict[str, Any]:
    return {"kind": "link", "path": f"{SYSTEM}/{unit}", "target": "/dev/null"}


def remove(path: str) -> dict[str, Any]:
    return {"kind": "remove", "path": path}


def stop(unit: str, *, active: bool = False) -> dict[str, Any]:
    return {"kind": "unit", "unit": unit, "active": active}


def value(path: str, text: str) -> dict[str, Any]:
    return {"kind": "value", "path": path, "text": text}


def run(do: str, undo: str, **more: Any) -> dict[str, Any]:
    return {"kind": "run", "do": do.split(), "undo": undo.split(), **more}


def mode(id: str) -> str:
    """What nvpmodel says of one."""
    return f"NV Fan Mode:quiet\nNV Power Mode: MODE_{id}\n{id}\n"
