"""A fence around one run, and what a mechanism needs to put one up."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import secrets
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from memfit.device.meminfo import parse_meminfo
from memfit.measure.limits._group import Group
from memfit.measure.records import Limit
from memfit.units import format_bytes

# the shell moves itself into the group and becomes the program, so that every page of the program is charged there. Its
# own name stands before what it says of a program that cannot be run
_ENTER = 'echo 0 > "$1/cgroup.procs" || exit 125; shift; exec "$@"'
_TRIAL_S = 10.0
_NAME = re.compile(r"memfit-[0-9]+-[0-9]+-[0-9a-f]{8}")
_MOST_GROUPS = 4096  # looked into for what was left behind: some 20 ms


class Unavailable(Exception):
    """A mechanism does not work here; the message says why."""


class TooSmall(Exception):
    """The mechanism works, and the kernel kills in this limit whatever is started."""


class Mount(NamedTuple):
    """A mounted hierarchy of control groups: the part of it that is shown, and where."""

    root: str
    folder: Path


@dataclass(frozen=True)
class Ground:
    """The machine's files and commands.

    Attributes:
        proc: where ``/proc`` lies.
        run: starts a command and waits for it, as ``subprocess.run``.
        root: whether this is the superuser.
    """

    proc: Path = Path("/proc")
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    root: bool = field(default_factory=lambda: os.geteuid() == 0)

    def memory_mount(self, version: int) -> Mount | None:
        """Where memory is controlled by this version; None where it is not (proc_pid_mountinfo(5))."""
        for line in self._text("self/mountinfo").splitlines():
            before, _, after = line.partition(" - ")
            fields, kind = before.split(), after.split()
            if len(fields) < 5 or len(kind) < 3:
                continue
            if kind[0] == ("cgroup2" if version == 2 else "cgroup") and (
                version == 2 or "memory" in kind[2].split(",")
            ):
                return Mount(fields[3], Path(fields[4].replace("\\040", " ")))
        return None

    def own_group(self, version: int, mount: Mount, pid: int | None = None) -> Path:
        """The group of a process (memfit's own where None); the mount itself where its path is not shown."""
        for line in self._text(f"{pid or 'self'}/cgroup").splitlines():
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if (version == 2 and number == "0") or (version == 1 and "memory" in controllers.split(",")):
                relative = path if mount.root == "/" else path.removeprefix(mount.root)
                folder = mount.folder / relative.lstrip("/")
                return folder if folder.is_dir() and ".." not in relative else mount.folder
        return mount.folder

    def memory(self) -> dict[str, int]:
        """``/proc/meminfo`` in bytes."""
        return parse_meminfo(self._text("meminfo"))

    def _text(self, name: str) -> str:
        try:
            return (self.proc / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


@dataclass
class Fence:
    """What holds one run.

    Attributes:
        limit: what is enforced, with its note.
        group: the control group that the run's processes are charged to, None where there is none.
        prefix: words before the program's own, which put it inside before it runs.
        join: finds the group once the program runs; only where it cannot be known before.
    """

    limit: Limit
    group: Group | None = None
    prefix: tuple[str, ...] = ()
    join: Callable[[int], Group | None] | None = None

    def joined(self, pid: int) -> None:
        """The program runs: find out where, if that is not known yet."""
        if self.group is None and self.join is not None:
            self.group = self.join(pid)

    def kill(self) -> None:
        """Kill every process inside."""
        if self.group is not None:
            self.group.kill()

    def close(self) -> str:
        """Kill what is left inside and take the fence down; says what went wrong, empty where nothing did."""
        return "" if self.group is None else self.group.remove()


@dataclass(frozen=True)
class Mechanism:
    """One way to hold a run to its memory.

    Attributes:
        title: as people call it.
        rank: the lower, the sooner it is tried.
        open: puts up a fence: limit in bytes or None, the machine, and why what was tried before did not work. Raises
            ``Unavailable``.
    """

    title: str
    rank: int
    open: Callable[[int | None, Ground, tuple[str, ...]], Fence]


def fresh_name() -> str:
    """The name of a new group, which tells whose it is: a process, and the namespace that its number is of."""
    return f"memfit-{os.getpid()}-{_pid_namespace()}-{secrets.token_hex(4)}"


def remove_stale(mount: Path) -> None:
    """Remove groups that a memfit left behind which is no more, wherever in a hierarchy it ran.

    Only what is certainly one: its name is one of ``fresh_name``, of this namespace of process numbers, in which that
    process is no more. (Of another container's groups nobody here knows whether their memfit lives.) The kernel removes
    no group that holds a process or another group.
    """
    for folder in _ours(mount):
        owner, namespace = folder.name.split("-")[1:3]
        if namespace == _pid_namespace() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _ours(mount: Path) -> list[Path]:
    """Every group of such a name; of a hierarchy of very many groups those near its top."""
    found: list[Path] = []
    waiting = deque([mount])
    for _ in range(_MOST_GROUPS):
        if not waiting:
            break
        try:
            with os.scandir(waiting.popleft()) as entries:
                folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:  # it has been removed meanwhile, or may not be looked into
            continue
        found += [folder for folder in folders if _NAME.fullmatch(folder.name)]
        waiting.extend(folder for folder in folders if not _NAME.fullmatch(folder.name))
    return found


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return "0"


def enter(folder: Path) -> tuple[str, ...]:
    """The words that run a program inside a group."""
    return ("/bin/sh", "-c", _ENTER, "memfit", str(folder))


def try_out(group: Group, ground: Ground) -> None:
    """Start something inside and see.

    Raises:
        Unavailable: it was not let in.
        TooSmall: it was, and there is no room for it.
    """
    prefix = enter(group.folder)
    try:
        done = ground.run([*prefix, "true"], capture_output=True, text=True, timeout=_TRIAL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    if done.returncode != 0:
        if group.memory().limit_failures:  # fresh, so they are its own
            raise TooSmall
        said = done.stderr.strip().splitlines()
        raise Unavailable(said[-1] if said else f"code {done.returncode}")


def notes(limit_bytes: int | None, allowed_bytes: int | None, ground: Ground, *, swaps: bool) -> str:
    """What must be known about an enforced limit.

    Args:
        limit_bytes: what was asked for.
        allowed_bytes: what groups above it allow, None where they say nothing.
        ground: the machine.
        swaps: whether the run may be swapped in spite of the limit.
    """
    return "; ".join(_notes(limit_bytes, allowed_bytes, ground, swaps))


def _notes(limit_bytes: int | None, allowed_bytes: int | None, ground: Ground, swaps: bool) -> Iterator[str]:
    memory = ground.memory()
    # the kernel rounds a limit down to whole pages
    if limit_bytes is not None and allowed_bytes is not None and allowed_bytes <= limit_bytes - mmap.PAGESIZE:
        yield f"a group above it allows only {format_bytes(allowed_bytes)}"
    available = memory.get("MemAvailable")
    if limit_bytes is not None and available is not None and available < limit_bytes:
        yield f"only {format_bytes(available)} are available here, less than the limit"
    if swaps and memory.get("SwapTotal"):
        yield f"{format_bytes(memory['SwapTotal'])} of swap may hide the peak: it is not limited"
