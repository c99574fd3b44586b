"""Trees before a change, the changes, and what is compared afterwards."""

from __future__ import annotations

import base64
import os
import random
import shutil
import stat
from pathlib import Path
from typing import Any, NamedTuple

from memfit.agent.machine import Machine
from memfit.agent.main import answer

SYSTEM = "/etc/systemd/system"
JOURNAL = "var/lib/memfit"
_OTHERS = (1000, 1000) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
_THEN_NS = 1_600_000_000_123_456_789


class Was(NamedTuple):
    """Something in a tree; its path goes with it."""

    kind: str
    content: bytes = b""
    mode: int = 0o644
    target: str = ""
    owner: tuple[int, int] = (os.geteuid(), os.getegid())
    mtime_ns: int = _THEN_NS


class Scene(NamedTuple):
    """A tree, what is asked, and which units run."""

    tree: dict[str, Was]
    changes: list[dict[str, Any]]
    running: tuple[str, ...] = ()


def file_change(path: str, content: bytes, mode: int | None = None) -> dict[str, Any]:
    return {"kind": "file", "path": path, "content": base64.b64encode(content).decode(), "mode": mode}


def link_change(path: str, target: str = "/dev/null") -> dict[str, Any]:
    return {"kind": "link", "path": path, "target": target}


def remove_change(path: str) -> dict[str, Any]:
    return {"kind": "remove", "path": path}


# two files replaced, one made in a new folder, one removed, three units masked and stopped, one link replaced
REPRESENTATIVE = Scene(
    tree={
        "/etc/machine-id": Was("file", b"0123456789abcdef\n", 0o444),
        "/etc/kernel/cmdline": Was("file", b"quiet\n", 0o640, owner=_OTHERS),
        "/boot/extlinux/extlinux.conf": Was("file", b"DEFAULT primary\n" * 40, mtime_ns=0),
        "/etc/modprobe.d/60-memfit.conf": Was("file", b"options nvgpu x=1\n", 0o600),
        f"{SYSTEM}/default.target": Was("link", target="/usr/lib/systemd/system/graphical.target"),
        "/usr/lib/systemd/system/graphical.target": Was("file", b"[Unit]\n"),
        "/usr/lib/systemd/system/multi-user.target": Was("file", b"[Unit]\n"),
        "/var/lib": Was("folder", mode=0o755),
    },
    changes=[
        file_change("/etc/kernel/cmdline", b"quiet swiotlb=2048\n"),
        file_change("/boot/extlinux/extlinux.conf", b"DEFAULT memfit\n" * 40, 0o600),
        file_change("/etc/systemd/journald.conf.d/60-memfit.conf", b"[Journal]\nRuntimeMaxUse=8M\n"),
        remove_change("/etc/modprobe.d/60-memfit.conf"),
        link_change(f"{SYSTEM}/docker.service"),
        link_change(f"{SYSTEM}/docker.socket"),
        link_change(f"{SYSTEM}/containerd.service"),
        link_change(f"{SYSTEM}/default.target", "/usr/lib/systemd/system/multi-user.target"),
        {"kind": "unit", "unit": "docker.socket", "active": False},
        {"kind": "unit", "unit": "docker.service", "active": False},
    ],
    running=("docker.socket", "docker.service"),
)


GRUB = "/boot/grub/grub.cfg"
# a boot that is tried, and a program that makes a file anew
BOOT = Scene(
    tree={
        **REPRESENTATIVE.tree,
        GRUB: Was("file", b"menuentry {}\n", 0o600),
        "/etc/default/grub.d": Was("folder", mode=0o755),
    },
    changes=[
        {
            **file_change("/boot/extlinux/extlinux.conf", b"DEFAULT memfit\n"),
            "trial": {
                "fallback": base64.b64encode(b"DEFAULT primary\n").decode(),
                "original": "primary",
                "expects": {"memfit.boot": "1"},
            },
        },
        file_change("/etc/default/grub.d/60-memfit.cfg", b"cma=64M\n"),
        {"kind": "run", "do": ["update-grub"], "undo": ["update-grub"], "touches": [GRUB], "lasting": True},
        {"kind": "unit", "unit": "docker.service", "active": False},
    ],
    running=("docker.service",),
)


# a file that only takes room, and what uses it
SPACE = Scene(
    tree={"/etc/machine-id": REPRESENTATIVE.tree["/etc/machine-id"], "/var/lib": Was("folder", mode=0o755)},
    changes=[
        file_change(f"{SYSTEM}/swap.memfit.swap", b"[Swap]\nWhat=/swap.memfit\n"),
        link_change(f"{SYSTEM}/swap.target.wants/swap.memfit.swap", "../swap.memfit.swap"),
        {"kind": "space", "path": "/swap.memfit", "bytes": 8192},
        {"kind": "run", "do": ["mkswap", "/swap.memfit"], "undo": []},
        {"kind": "run", "do": ["swapon", "/swap.memfit"], "undo": ["swapoff", "/swap.memfit"], "lasting": True},
    ],
)

# a boot by GRUB that is tried: its file is made by a program, and its source goes with it
GRUB_BOOT = BOOT._replace(
    changes=[
        BOOT.changes[1],
        {
            **BOOT.changes[2],
            "trial": {"path": GRUB, "sources": [BOOT.changes[1]["path"]], "expects": {"memfit.boot": "1"}},
        },
        BOOT.changes[3],
    ],
)


def random_scene(chance: random.Random) -> Scene:
    """Some of every kind, each there before or not."""
    tree = dict(REPRESENTATIVE.tree)
    # one that is never so already
    changes = [file_change("/etc/sysctl.d/60-memfit.conf", chance.randbytes(16))]
    files = [
        *("/etc/kernel/cmdline", "/boot/extlinux/extlinux.conf", "/etc/default/grub.d/60-memfit.cfg"),
        *(f"/etc/{name}.d/60-memfit.conf" for name in ("tmpfiles", "modules-load", "modprobe")),
        *(f"/etc/systemd/{name}.conf.d/60-memfit.conf" for name in ("journald", "oomd", "zram-generator")),
        *(f"{SYSTEM}/{name}.d/60-memfit.conf" for name in ("docker.service", "cups.service")),
        f"{SYSTEM}/memfit-{'x' * chance.randint(1, 200)}.service",
    ]
    for path in chance.sample(files, chance.randint(1, 5)):
        tree.pop(path, None)
        if chance.random() < 0.6:
            content = chance.randbytes(chance.choice((0, 1, 2, 700, 70_000)))
            mode, mtime = chance.choice((0o644, 0o600, 0o444, 0)), chance.choice((_THEN_NS, 0, 1))
            tree[path] = Was("file", content, mode, owner=chance.choice((_OTHERS, Was("file").owner)), mtime_ns=mtime)
        if path in tree and "60-memfit" in path and chance.random() < 0.4:
            changes.append(remove_change(path))
        else:
            content = chance.randbytes(chance.choice((0, 1, 600, 70_000)))
            changes.append(file_change(path, content, chance.choice((None, None, 0o600))))
    units = [f"{name}.service" for name in ("docker", "cups", "snapd", "bluetooth", "n" * 247)]
    running = []
    for unit in chance.sample(units, chance.randint(0, 4)):
        path = f"{SYSTEM}/{unit}"
        if chance.random() < 0.3:
            target = chance.choice(("/dev/null", f"/opt/vendor/{unit}"))
            tree[path] = Was("link", target=target, owner=_OTHERS)
        masked = path in tree and tree[path].target == "/dev/null"
        changes.append(remove_change(path) if masked else link_change(path))
        if chance.random() < 0.5:
            running.append(unit)
        if not masked:
            changes.append({"kind": "unit", "unit": unit, "active": False})
    if chance.random() < 0.3:
        tree[GRUB] = BOOT.tree[GRUB]
        changes.append(BOOT.changes[2])
    if chance.random() < 0.3:
        changes += SPACE.changes
    chance.shuffle(changes)
    return Scene(tree, changes, tuple(running))


class KeptMachine(Machine):
    """Units that run are folders, so that what a child started and stopped is so after its death.

    A power cut is followed by a boot: then units are those that files say, so ``boot`` makes another of it.
    """

    def __init__(self, root: Path, folder: Path, boot: str = "1") -> None:
        self._root, self._folder, self._boot = root, folder, boot

    def boot_id(self) -> str:
        return self._boot

    def has_systemd(self) -> bool:
        return True

    def unit(self, unit: str) -> dict[str, str]:
        return {"ActiveState": "active" if (self._folder / unit).exists() else "inactive", "LoadState": "loaded"}

    def set_active(self, unit: str, active: bool) -> None:
        if active != (self._folder / unit).exists():
            (os.mkdir if active else os.rmdir)(str(self._folder / unit))

    def reload(self) -> None:
        return

    def run(self, words: list[str], most_s: float = 0.0) -> tuple[int, str]:
        if words[0] == "mkswap":  # so that it no longer is what was made
            with Path(f"{self._root}{words[1]}").open("r+b") as file:
                file.write(b"SWAPSPACE2")
        if words == ["update-grub"]:  # a program of its own: none of its calls are the agent's
            made = [path.read_bytes() for path in sorted((self._root / "etc/default/grub.d").glob("*.cfg"))]
            Path(f"{self._root}{GRUB}").write_bytes(b"made anew of " + b"".join(made))
        return 0, ""

    def memory(self) -> dict[str, int]:
        return {"MemTotal": 8 << 30, "MemAvailable": 5 << 30}


def write(root: Path, tree: dict[str, Was]) -> None:
    """The tree below ``root``, which is not there yet."""
    root.mkdir()
    for inside, was in tree.items():
        path = Path(f"{root}{inside}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if was.kind == "folder":
            path.mkdir(exist_ok=True)
            path.chmod(was.mode)
        elif was.kind == "link":
            path.symlink_to(was.target)
        else:
            path.write_bytes(was.content)
            path.chmod(was.mode)
        if was.kind != "folder":
            if was.owner != Was("file").owner:
                os.chown(path, *was.owner, follow_symlinks=False)
            os.utime(path, ns=(was.mtime_ns, was.mtime_ns), follow_symlinks=False)


def read(root: Path, *, journal: bool = False) -> dict[str, Was]:
    """All that is there; times of folders are nobody's business, and the journal only with ``journal``."""
    found: dict[str, Was] = {}
    todo = [""]
    while todo:
        folder = todo.pop()
        for entry in os.scandir(f"{root}{folder}"):
            inside, there = f"{folder}/{entry.name}", entry.stat(follow_symlinks=False)
            mode, owner = stat.S_IMODE(there.st_mode), (there.st_uid, there.st_gid)
            if entry.is_symlink():
                found[inside] = Was("link", b"", 0, str(Path(entry.path).readlink()), owner, there.st_mtime_ns)
            elif entry.is_dir():
                if journal or inside != f"/{JOURNAL}":
                    found[inside] = Was("folder", mode=mode, owner=owner, mtime_ns=0)
                    todo.append(inside)
            else:
                content = Path(entry.path).read_bytes()
                found[inside] = Was("file", content, mode, "", owner, there.st_mtime_ns)
    return found


class Stage:
    """One scene, set again for every death: its tree before and after, and the work between."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self.root, self.scene, self._units = folder / "root", scene, folder / "units"
        self.booted = 1
        self.units(scene.running)
        write(self.root, scene.tree)
        self.before = read(self.root)
        told = self.ask({"action": "apply", "changes": scene.changes})
        assert "ok" in told, told
        assert told["ok"]["receipt"]["state"] == "applied"
        self._applied = read(self.root, journal=True)
        self._kept = folder / "kept"  # a file that only takes room is known by its number, so no copy will do
        self._spaces = [change["path"] for change in scene.changes if change["kind"] == "space"]
        for path in self._spaces:
            os.link(f"{self.root}{path}", self._kept)
        self._stopped = self.running()
        after = read(self.root)
        self._changed = {path for path, was in after.items() if self.before.get(path) != was}
        self.after = self._untimed(after)

    def set(self, *, applied: bool) -> None:
        """As it was before, or once it was applied."""
        if self.root.exists():
            shutil.rmtree(self.root)
        write(self.root, self._applied if applied else self.scene.tree)
        for path in self._spaces if applied else ():
            Path(f"{self.root}{path}").unlink()
            os.link(self._kept, f"{self.root}{path}")
        self.units(self._stopped if applied else self.scene.running)
        self.booted = 1

    def units(self, running: tuple[str, ...]) -> None:
        if self._units.exists():
            shutil.rmtree(self._units)
        self._units.mkdir()
        for unit in running:
            (self._units / unit).mkdir()

    def running(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self._units.iterdir()))

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return answer({**request, "root": str(self.root)}, KeptMachine(self.root, self._units, str(self.booted)))

    def apply(self) -> dict[str, Any]:
        return self.ask({"action": "apply", "changes": self.scene.changes})

    def undo(self) -> dict[str, Any]:
        return self.ask({"action": "undo"})

    def recover(self) -> dict[str, Any]:
        return self.ask({"action": "status", "recover": True})

    def where(self) -> str:
        """``before`` or ``after``, exactly; anything else is a failure that says what differs."""
        now = read(self.root)
        if now == self.before:
            assert self.booted > 1 or self.running() == tuple(sorted(self.scene.running)), self.running()
            return "before"
        changed = self._untimed(now)
        wrong = {path for path in {*changed, *self.after} if changed.get(path) != self.after.get(path)}
        back = {path for path in {*now, *self.before} if now.get(path) != self.before.get(path)}
        assert not wrong, f"neither after ({sorted(wrong)}) nor before ({sorted(back)})"
        assert self.booted > 1 or self.running() == self._stopped, self.running()
        return "after"

    def _untimed(self, tree: dict[str, Was]) -> dict[str, Was]:
        """What was changed has the time at which it was, so that is not compared."""
        return {path: was._replace(mtime_ns=0) if path in self._changed else was for path, was in tree.items()}

    def whole(self, *, may_be: tuple[str, ...] = ("before", "after")) -> str:
        """After recovery: all is before or after, and the journal says the same."""
        where = self.where()
        states = [name.name.rpartition(".")[2] for name in (self.root / JOURNAL / "journal").glob("0*")]
        assert not {"staging", "open", "undoing"} & {*states}, states
        assert ("applied" in states) == (where == "after"), (states, where)
        assert where in may_be
        return where


class EditedStage(Stage):
    """Somebody changed a file and a link after it was applied, and undo is told to leave them."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        super().__init__(folder, scene)
        edited = {
            "/etc/kernel/cmdline": Was("file", b"somebody's own\n", 0o600, mtime_ns=_THEN_NS),
            f"{SYSTEM}/docker.socket": Was("link", mode=0, target="/opt/theirs", mtime_ns=_THEN_NS),
        }
        self._applied |= edited
        self._changed -= set(edited)
        self.before |= edited
        self.after |= edited

    def undo(self) -> dict[str, Any]:
        return self.ask({"action": "undo", "keep_theirs": True})
