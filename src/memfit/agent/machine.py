"""What of a running machine is changed besides its files: units, values of the kernel, a few programs."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import time
from typing import Any

from memfit.agent.failure import Failure, of_system

_STOP_S = 120.0
"""systemd itself gives a service 90 s to stop (DefaultTimeoutStopSec, systemd-system.conf) before it kills it."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ONE_WAY = ("/proc/sys/vm/drop_caches", "/proc/sys/vm/compact_memory")
"""Writing these does something once; there is no value to go back to, and Linux lets not even root read one."""
AVAILABLE = ("MemAvailable", "PerCpuLists", "Agent")
"""Added up, what an application could have if this process ended."""
_SETTLE_S = 0.25
_MOST_SETTLING = 40
_AT_REST, _AT_REST_BYTES = 5, 512 << 10
"""So many readings in a row within so little: a login that leads here starts a manager of 6 to 9 MiB meanwhile."""


class Machine:
    """The machine this runs on; ``Image`` is one that does not run.

    Attributes:
        live: whether anything can be done here beside files.
        beside: processes that this one left beside it, which share its memory until one of them writes to it.
    """

    live = True
    beside: tuple[int, ...] = ()

    def boot_id(self) -> str:
        """Changes with every boot."""
        return _read("/proc/sys/kernel/random/boot_id")

    def has_systemd(self) -> bool:
        """Whether systemd is what runs the units."""
        return os.path.isdir("/run/systemd/system") and _program("systemctl") is not None  # noqa: PTH112  stdlib, small

    def unit(self, unit: str) -> dict[str, str]:
        """``ActiveState``, ``LoadState`` and ``UnitFileState`` of a unit; empty without systemd."""
        if not self.has_systemd():
            return {}
        words = ["systemctl", "show", "--property=ActiveState,LoadState,UnitFileState,SubState", "--", unit]
        _, said = self.run(words, most_s=20)
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def set_active(self, unit: str, active: bool) -> None:
        """Start or stop a unit.

        Raises:
            Failure: systemd says it failed.
        """
        verb = "start" if active else "stop"
        code, said = self.run(["systemctl", "--no-ask-password", verb, "--", unit])
        if code:
            raise Failure("apply", f"systemctl {verb} {unit}: {said.strip()[-300:] or f'exit code {code}'}")

    def reload(self) -> None:
        """Let systemd read its files again.

        Raises:
            Failure: it does not.
        """
        if self.has_systemd():
            code, said = self.run(["systemctl", "daemon-reload"], most_s=90)
            if code:
                raise Failure("apply", f"systemctl daemon-reload: {said.strip()[-300:]}")

    def value(self, path: str) -> str | None:
        """A value of the kernel, the chosen one where it lists several; None where there is none."""
        if path in ONE_WAY:
            return "" if os.path.lexists(path) else None
        try:
            text = _read(path)
        except Failure:
            return None
        chosen = text.partition("[")[2].partition("]")[0]
        return chosen or text

    def set_value(self, path: str, text: str) -> None:
        """Write a value of the kernel.

        Raises:
            Failure: it does not take it.
        """
        try:
            file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)
        except OSError as error:
            raise of_system(path, error) from error

    def run(self, words: list[str], most_s: float = _STOP_S) -> tuple[int, str]:
        """A program's exit code and all it said; in a session of its own, so that a closed terminal does not end it."""
        found = _program(words[0])
        if found is None:
            return 127, f"{words[0]}: not installed"
        environment = {"PATH": _PATH, "LC_ALL": "C"}
        try:
            ended = subprocess.run(
                [found, *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=most_s,
                env=environment,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, f"{words[0]}: no end within {most_s:g} s"
        except OSError as error:
            return 126, f"{words[0]}: {error.strerror}"
        return ended.returncode, ended.stdout.decode("utf-8", "replace")

    def is_so(self, words: list[str]) -> bool:
        """Whether a program that failed found its work done: swap that is off cannot be switched off again."""
        if words[0] not in ("swapon", "swapoff", "mkswap"):
            return False
        swaps = {line.split(" ", 1)[0] for line in _read("/proc/swaps").splitlines()[1:]}
        return all((word in swaps) != (words[0] == "swapoff") for word in words[1:] if word.startswith("/"))

    def memory(self) -> dict[str, int]:
        """Sizes of ``/proc/meminfo`` in bytes, once what is available has come to rest; and what it leaves out.

        ``PerCpuLists``: free pages that wait in the CPUs' own lists, which MemFree and MemAvailable do not count. What
        is freed lands there first, and with 4 GiB they take and give 7 MiB at a time. ``Agent``: what this process
        and those beside it hold, which is there neither before nor afterwards.
        """
        readings = [self._memory()]
        while len(readings) < _MOST_SETTLING:
            time.sleep(_SETTLE_S)
            readings.append(self._memory())
            last = [sum(reading.get(name, 0) for name in AVAILABLE) for reading in readings[-_AT_REST:]]
            if len(last) == _AT_REST and max(last) - min(last) <= _AT_REST_BYTES:
                break
        return readings[-1]

    def _memory(self) -> dict[str, int]:
        return {**_meminfo(), "PerCpuLists": _waiting(), "Agent": _own() + sum(map(_held, self.beside))}


class Image(Machine):
    """Files alone: units that are not there cannot be stopped, and the kernel's values are those of another machine."""

    live = False

    def boot_id(self) -> str:
        """None ever booted."""
        return ""

    def has_systemd(self) -> bool:
        """Nothing runs."""
        return False

    def value(self, path: str) -> str | None:
        """There is no kernel."""
        return None

    def memory(self) -> dict[str, int]:
        """There is none."""
        return {}


def as_json(state: dict[str, str]) -> dict[str, Any]:
    """What is kept of a unit's state."""
    return {"active": state.get("ActiveState", ""), "load": state.get("LoadState", "")}


def _program(name: str) -> str | None:
    return shutil.which(name, path=_PATH)


def _waiting() -> int:
    """``count:`` of every CPU's lists (``mm/vmstat.c:zoneinfo_show_print``)."""
    try:
        text = _read("/proc/zoneinfo")
    except Failure:
        return 0
    words = (line.split() for line in text.splitlines())
    return sum(int(pair[1]) for pair in words if len(pair) == 2 and pair[0] == "count:") * mmap.PAGESIZE


def _own() -> int:
    """What is not of files. Before Linux 5.3 it is what is resident, where huge pages of it are there whole."""
    held = _held(os.getpid())
    if held:
        return held
    words = _read("/proc/self/statm").split()
    return (int(words[1]) - int(words[2])) * mmap.PAGESIZE


def _held(pid: int) -> int:
    """A process's share of anonymous memory; 0 where it has ended, or the kernel does not say."""
    try:
        text = _read(f"/proc/{pid}/smaps_rollup")
    except Failure:
        return 0
    sizes = (line.split() for line in text.splitlines() if line.startswith("Pss_Anon:"))
    return sum(int(words[1]) for words in sizes) << 10


def _meminfo() -> dict[str, int]:
    found = {}
    for line in _read("/proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words:
            found[name] = int(words[0]) * (1024 if words[-1] == "kB" else 1)
    return found


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError as error:
        raise of_system(path, error) from error
