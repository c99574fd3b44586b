"""A transient scope of systemd: the way to a limit without being root, where systemd hands memory to users."""

from __future__ import annotations

import subprocess
from pathlib import Path

from memfit.measure.limits._fence import Fence, Ground, Mechanism, Unavailable, fresh_name, notes
from memfit.measure.limits._group import Group
from memfit.measure.records import Limit

_TRIAL_BYTES = 64 * 1024**2
_TRIAL_S = 10.0
# systemd takes MemoryMax= in silence where it cannot enforce it, so a trial scope reads what it was given
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
    return Fence(limit=limit, prefix=_words(whose, limit_bytes, unit), join=join)


class ScopeGroup(Group):
    """The group of a scope: systemd removes it when its last process has ended."""

    def __init__(self, folder: Path, unit: str, whose: str, ground: Ground) -> None:
        super().__init__(folder, 2)
        self._unit = unit
        self._whose = whose
        self._ground = ground

    def remove(self) -> str:
        """Kill what is left; where the scope stays, ask systemd to stop it."""
        self.kill()
        if not self.folder.exists():
            return ""
        words = ["systemctl", self._whose, "stop", f"{self._unit}.scope"]
        try:
            self._ground.run(words, capture_output=True, text=True, timeout=_TRIAL_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the scope {self._unit} is left behind: {error}"
        return "" if not self.folder.exists() else f"the scope {self._unit} is left behind"


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
    named = () if unit == "trial" else (f"--unit={unit}",)
    limit = () if limit_bytes is None else ("-p", f"MemoryMax={limit_bytes}", "-p", "MemorySwapMax=0")
    return ("systemd-run", whose, "--scope", "--quiet", *named, "-p", "MemoryAccounting=yes", *limit, "--")


MECHANISM = Mechanism(title="systemd scope", rank=2, open=open_fence)
