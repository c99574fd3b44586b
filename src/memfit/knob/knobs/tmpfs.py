"""Bound what files in /tmp may take of memory: who writes more there is told that the disk is full."""

from __future__ import annotations

import hashlib
import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.mounts import MOUNTS
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.knob._asked import size_of
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, FileChange, RunChange
from memfit.knob.records import Effect, Gain, Wish, not_here
from memfit.units import MIB, format_bytes

_SUMMARY = "bound what files in /tmp may take of memory"
_TAKES = "a size, such as 256MiB: never less than its files take"
_TMP = "/tmp"
_UNIT_FILE = "/etc/systemd/system/tmp.mount.d/60-memfit.conf"
_SHARE = 16
"""Of MemTotal: what an unpacked package or a build's pieces take; the kernel's own default is half."""
_KEPT = re.compile(r"nosuid|nodev|noexec|noatime|relatime|mode=[0-7]+|nr_inodes=\w+|huge=\w+")


class Tmpfs(msgspec.Struct, frozen=True, kw_only=True):
    """Files in memory at ``/tmp``.

    Attributes:
        options: those of the mount that stay.
        limit_bytes: what its files may take now. used_bytes: what they take.
        bound_bytes: what they may take afterwards.
        own_sha256: digest of memfit's own drop-in from before; None where there is none.
    """

    options: tuple[str, ...]
    limit_bytes: int
    used_bytes: int
    bound_bytes: int
    own_sha256: str | None = None


def read(host: Host, audit: Audit) -> Tmpfs | None:
    """None where ``/tmp`` is on a disk, which is so on most."""
    options = None
    for line in (read_text(host, MOUNTS, most=1 << 20) or "").splitlines():
        words = line.split(" ")
        if len(words) >= 4 and words[1] == _TMP:  # a later mount hides an earlier one
            options = words[3] if words[2] == "tmpfs" else None
    if options is None or audit.linux_bytes is None:
        return None
    try:
        disk = host.disk(_TMP)
    except ProbeError:
        return None
    used = disk.total_bytes - disk.free_bytes
    bound = max(audit.linux_bytes // _SHARE, 2 * used)
    return Tmpfs(
        options=tuple(option for option in options.split(",") if _KEPT.fullmatch(option)),
        limit_bytes=disk.total_bytes,
        used_bytes=used,
        bound_bytes=-(-bound // MIB) * MIB,
        own_sha256=_digest(host),
    )


def _digest(host: Host) -> str | None:
    try:
        return hashlib.sha256(host.read_bytes(_UNIT_FILE)).hexdigest()
    except ProbeError:
        return None


def effect(state: Tmpfs) -> Effect:
    """It gives nothing now; it is the peak that is bounded, so it is done by name alone."""
    if state.bound_bytes < state.used_bytes:
        return not_here(f"its files take {format_bytes(state.used_bytes)} already")
    if state.limit_bytes <= state.bound_bytes:
        return not_here(f"its files may take {format_bytes(state.limit_bytes)}, and no more")
    now, then = format_bytes(state.limit_bytes), format_bytes(state.bound_bytes)
    return Effect(
        applies=True,
        gain=Gain(evidence=f"its files take {format_bytes(state.used_bytes)}, and may take {now}; then {then}"),
        cost=f"who writes more than {then} to {_TMP} is told that the disk is full",
        risk="low",
        saves=False,
    )


def change(state: Tmpfs) -> tuple[Change, ...]:
    """The mount's size now, and a drop-in for the next boot."""
    size = [f"remount,size={size}" for size in (state.bound_bytes, state.limit_bytes)]
    mode = () if any(option.startswith("mode=") for option in state.options) else ("mode=1777",)
    options = ",".join((*mode, *state.options, f"size={state.bound_bytes}"))
    content = f"# memfit wrote this file; memfit undo takes it back\n[Mount]\nOptions={options}\n"
    return (
        FileChange(path=_UNIT_FILE, content=content.encode(), expects=state.own_sha256, why=_SUMMARY),
        RunChange(do=("mount", "-o", size[0], _TMP), undo=("mount", "-o", size[1], _TMP), why=_SUMMARY),
    )


def at(state: Tmpfs, wish: Wish) -> Tmpfs:
    """With the bound that somebody asks for, in whole MiB."""
    size = size_of("tmpfs", wish.value, _TAKES, least_bytes=MIB)
    return msgspec.structs.replace(state, bound_bytes=-(-size // MIB) * MIB)


KNOB = Knob(
    summary=_SUMMARY,
    layer="user",
    paths=(MOUNTS, _UNIT_FILE),
    read=read,
    effect=effect,
    change=change,
    takes=_TAKES,
    at=at,
    aliases=("tmp",),
)
