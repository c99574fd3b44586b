"""A process and its descendants: what they hold together, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import msgspec

from memfit.device.process_tree import process_tree, read_smaps, split_smaps, stat_fields
from memfit.errors import ProbeError

_SESSION = 3  # field of /proc/PID/stat behind the name (proc_pid_stat(5))


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What some processes hold together, added up from ``smaps_rollup``.

    ``pss_bytes`` and its three kinds are shares; ``resident_bytes`` counts shared pages whole, ``locked_bytes`` the
    locked pages of mapped files.
    """

    resident_bytes: int = 0
    pss_bytes: int = 0
    anonymous_bytes: int = 0
    file_bytes: int = 0
    shared_memory_bytes: int = 0
    swapped_bytes: int = 0
    locked_bytes: int = 0


def holding(pids: Iterable[int]) -> Holding:
    """What these processes hold; one that has ended, or may not be looked into, holds nothing."""
    total = Holding()
    for pid in pids:
        try:
            sizes = read_smaps(pid)
        except ProbeError:  # NeedsRoot too
            continue
        anonymous, file, shared = split_smaps(sizes)
        total = Holding(
            resident_bytes=total.resident_bytes + sizes.get("Rss", 0),
            pss_bytes=total.pss_bytes + sizes.get("Pss", 0),
            anonymous_bytes=total.anonymous_bytes + anonymous,
            file_bytes=total.file_bytes + file,
            shared_memory_bytes=total.shared_memory_bytes + shared,
            swapped_bytes=total.swapped_bytes + sizes.get("SwapPss", sizes.get("Swap", 0)),
            # locked buffers are anonymous and counted there
            locked_bytes=total.locked_bytes + min(sizes.get("Locked", 0), file),
        )
    return total


def kill(root_pid: int, proc: Path = Path("/proc")) -> None:
    """Kill a process with its descendants, and all of the session it leads, whose parents may have ended."""
    session = [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit() and _session(entry) == root_pid]
    for pid in dict.fromkeys([*process_tree(root_pid), *session]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _session(folder: Path) -> int:
    try:
        return int(stat_fields((folder / "stat").read_text(encoding="utf-8", errors="replace"))[_SESSION])
    except (OSError, IndexError, ValueError):
        return 0
