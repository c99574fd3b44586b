"""One control group of the memory controller that memfit made for a run, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Literal

from memfit.device.cgroup import Cgroup, CgroupMemory, parse_number, parse_table, read_cgroup

_REMOVE_S = 5.0  # a group stays busy until the kernel has taken its last process apart
_PAUSE_S = 0.02


class Group:
    """A group that memfit made, or that was made for it."""

    def __init__(self, folder: Path, version: Literal[1, 2]) -> None:
        self.folder = folder
        self.version = version

    def write(self, name: str, value: object) -> None:
        """Set one of its files.

        Raises:
            OSError: it is not there, or this may not be done.
        """
        (self.folder / name).write_text(str(value), encoding="ascii")

    def has(self, name: str) -> bool:
        """Whether it has a file of this name."""
        return (self.folder / name).exists()

    def number(self, name: str) -> int | None:
        """The number in one of its files; None where it has none (``max``)."""
        return parse_number(self._text(name))

    def pids(self) -> tuple[int, ...]:
        """Processes of the run in it now."""
        return self.members()

    def members(self) -> tuple[int, ...]:
        """All of its processes now."""
        return tuple(int(line) for line in self._text("cgroup.procs").split() if line.isdigit())

    def memory(self) -> CgroupMemory:
        """What it is charged with now."""
        return read_cgroup(Cgroup(version=self.version, folder=str(self.folder)))

    def hierarchical_limit_bytes(self) -> int | None:
        """Version 1: the least that this group and those above it allow."""
        return parse_table(self._text("memory.stat")).get("hierarchical_memory_limit")

    def kill(self) -> None:
        """Kill every process in it, also those that are born meanwhile."""
        if self.has("cgroup.kill"):
            with contextlib.suppress(OSError):
                self.write("cgroup.kill", 1)
        deadline = time.monotonic() + _REMOVE_S
        while (pids := self.members()) and time.monotonic() < deadline:
            for pid in pids:
                if pid != os.getpid():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_S)

    def remove(self) -> str:
        """Kill what is left and remove it; says why it could not, empty where it is gone."""
        self.kill()
        deadline = time.monotonic() + _REMOVE_S
        while True:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return ""
            except OSError as error:
                if time.monotonic() > deadline:
                    return f"the control group {self.folder} is left behind: {error.strerror or error}"
                time.sleep(_PAUSE_S)
            else:
                return ""

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""
