"""A transient scope of systemd: the way to a limit without being root, where systemd hands memory to users.

systemd removes a scope as soon as its last process has ended, and with it all that was counted: of an engine that was
killed for its limit nothing would be known. So one more process waits inside, ``tail``, which holds some 100 KiB, ends
with memfit at the latest, and is no part of the run.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from memfit.measure.limits._fence import Fence, Ground, Mechanism, Unavailable, fresh_name, notes
from memfit.measure.limits._group import Group
from memfit.measure.records import Limit

_TRIAL_BYTES = 64 * 1024**2
_TRIAL_S = 10.0
# systemd takes MemoryMax= in silence where it cannot enforce it, so a trial scope reads what it was given
# tail is left by a shell of its own, so that it is no child of the program. It does not end at what systemd sends to
# all of a scope of which something was killed for memory (OOMPolicy=, since 253)
_KEEP = """(trap '' HUP INT QUIT TERM; tail -f -s 60 "--pid=$0" /dev/null &) </dev/null >/dev/null 2>&1; exec "$@\""""
_GONE_S = 2.0
_PAUSE_S = 0.02
_TRIAL = 'cat "$0$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"'


def open_fence(limit_bytes: int | None, ground: Ground, _refusals: tuple[str, ...]) -> Fence:
    """A scope with ``MemoryMax=``, under the user's own systemd or the system's for root.

    Raises:
        Unavailable: no systemd, no bus to it, or memory is not handed on.
    """
    mount = ground.memory_mount(2)
    if mount is None:
        raise Unavailable("no cgroup v2, without which users are handed no memory controller")
    whose = "--system" if ground.root else "--user"
    try_out(_words(whose, _TRIAL_BYTES, "trial"), mount.folder, ground)
    unit = fresh_name()

    def join(pid: int) -> Group | None:
        folder = ground.own_group(2, mount, pid)
        return ScopeGroup(folder, unit, whose, ground) if folder.name == f"{unit}.scope" else None

    limit = Limit(
        mechanism="systemd_scope",
        limit_bytes=limit_bytes,
        note=notes(limit_bytes, None, ground, swaps=False),
    )
    keeper = ("/bin/sh", "-c", _KEEP, str(os.getpid()))
    return Fence(limit=limit, prefix=(*_words(whose, limit_bytes, unit), *keeper), join=join)


class ScopeGroup(Group):
    """The group of a scope: systemd removes it when its last process has ended."""

    def __init__(self, folder: Path, unit: str, whose: str, ground: Ground) -> None:
        super().__init__(folder, 2)
        self._unit = unit
        self._whose = whose
        self._ground = ground

    def pids(self) -> tuple[int, ...]:
        """Its processes now, without the one that keeps it."""
        return tuple(pid for pid in self.members() if not _keeps(pid))

    def remove(self) -> str:
        """Kill what is left; where the scope stays, ask systemd to stop it."""
        self.kill()
        if self._goes():
            return ""
        words = ["systemctl", self._whose, "stop", f"{self._unit}.scope"]
        try:
            self._ground.run(words, capture_output=True, text=True, timeout=_TRIAL_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the scope {self._unit} is left behind: {error}"
        return "" if self._goes() else f"the scope {self._unit} is left behind"

    def _goes(self) -> bool:
        """Whether systemd removes it, which it does once it hears that nothing is inside."""
        end = time.monotonic() + _GONE_S
        while self.folder.exists() and time.monotonic() < end:
            time.sleep(_PAUSE_S)
        return not self.folder.exists()


def _keeps(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[:1] == [b"tail"] and f"--pid={os.getpid()}".encode() in words


def try_out(prefix: tuple[str, ...], mount: Path, ground: Ground) -> None:
    """Start a trial scope and read its limit.

    Raises:
        Unavailable: it did not start, or has no limit.
    """
    try:
        done = ground.run(
            [*prefix, "/bin/sh", "-c", _TRIAL, str(mount)], capture_output=True, text=True, timeout=_TRIAL_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    said = done.stderr.strip().splitlines()
    if done.returncode != 0:
        raise Unavailable(said[-1] if said else f"systemd-run ended with code {done.returncode}")
    if done.stdout.strip() != str(_TRIAL_BYTES):
        raise Unavailable("systemd starts a scope and does not limit its memory")


def _words(whose: str, limit_bytes: int | None, unit: str) -> tuple[str, ...]:
    # one that was killed for memory has failed, and a failed unit stays in the list unless it is collected (since 236)
    named = () if unit == "trial" else (f"--unit={unit}", "--collect", "--description=a run of memfit")
    limit = () if limit_bytes is None else ("-p", f"MemoryMax={limit_bytes}", "-p", "MemorySwapMax=0")
    return ("systemd-run", whose, "--scope", "--quiet", *named, "-p", "MemoryAccounting=yes", *limit, "--")


MECHANISM = Mechanism(title="systemd scope", rank=2, open=open_fence)
